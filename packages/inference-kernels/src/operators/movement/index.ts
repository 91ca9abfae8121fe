// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../operator.ts'
import { reshape } from './reshape.ts'
import { shape, size } from './shape.ts'

export const movementOperators: readonly Operator[] = [shape, size, reshape]
