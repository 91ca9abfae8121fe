// SPDX-License-Identifier: Apache-2.0

/** Arguments that a tool cannot use: it ends with exit code 2. */
export class UsageError extends Error {}
