// SPDX-License-Identifier: Apache-2.0
export { Door, type DoorCalls } from './door.ts'
export type { Answer, EnclaveHandlers, RequestContext } from './handlers.ts'
