// SPDX-License-Identifier: Apache-2.0

/** No evidence is longer. */
export const evidenceMaxSizeBytes = 32_768
