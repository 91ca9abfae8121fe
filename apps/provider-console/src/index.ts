// SPDX-License-Identifier: Apache-2.0
export { type AppOptions, createApp, type RequestRecord } from './api/app.ts'
export { ProviderError, type ProviderErrorCode, providerErrorTable } from './errors.ts'
