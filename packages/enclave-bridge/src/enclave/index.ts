// SPDX-License-Identifier: Apache-2.0

export { type PortLike, portChannel } from '../transports/port-channel.ts'
export { type ByteStream, type SharedRings, StreamChannel } from '../transports/stream-channel.ts'
export { Door, type DoorCalls } from './door.ts'
export type { Answer, EnclaveHandlers, RequestContext } from './handlers.ts'
