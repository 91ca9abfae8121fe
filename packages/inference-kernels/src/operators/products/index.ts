// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../operator.ts'

export const productOperators: readonly Operator[] = []
