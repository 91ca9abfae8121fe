// SPDX-License-Identifier: Apache-2.0
export { type AzureVtpmAttesterOptions, azureVtpmAttester } from './attester.ts'
