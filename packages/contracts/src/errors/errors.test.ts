// SPDX-License-Identifier: Apache-2.0
import { describe, expect, expectTypeOf, test } from 'vitest'
import { ContractError, contractErrorTable } from '../errors.ts'
import { isMlCapsuleError } from './error-base.ts'
import { defineErrorTable, exitCodeFor } from './error-table.ts'

describe('MlCapsuleError', () => {
  test('carries code, field and the remedy of its table', () => {
    const error = new ContractError('CONTRACT_PLUGIN_UNKNOWN', 'there is no such plugin', {
      field: 'defense',
    })
    expect(error.name).toBe('ContractError')
    expect(error.kind).toBe('usage')
    expect(error.remedy).toBe(contractErrorTable.CONTRACT_PLUGIN_UNKNOWN.remedy)
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'CONTRACT_PLUGIN_UNKNOWN',
      message: 'there is no such plugin',
      field: 'defense',
      remedy: contractErrorTable.CONTRACT_PLUGIN_UNKNOWN.remedy,
    })
  })

  test('never serializes its cause or its stack', () => {
    const cause = new Error('deep trouble at line 7')
    const error = new ContractError('CONTRACT_TENSOR_INVALID', 'x: wrong', { cause })
    expect(error.cause).toBe(cause)
    const text = JSON.stringify(error)
    expect(text).not.toContain('deep trouble')
    expect(text).not.toContain('errors.test')
  })

  test('is told from other errors', () => {
    expect(isMlCapsuleError(new ContractError('CONTRACT_TENSOR_INVALID', 'x'))).toBe(true)
    expect(isMlCapsuleError(Object.assign(new Error('x'), { code: 'CONTRACT_TENSOR_INVALID' }))).toBe(false)
  })
})

describe('defineErrorTable', () => {
  test('makes a closed union of its codes', () => {
    const table = defineErrorTable({ X_ONE: { kind: 'input', meaning: 'm', remedy: 'r' } })
    expectTypeOf<keyof typeof table>().toEqualTypeOf<'X_ONE'>()
    expect(Object.isFrozen(table)).toBe(true)
  })

  test('refuses a code in another style', () => {
    expect(() => defineErrorTable({ lowerCase: { kind: 'input', meaning: 'm', remedy: 'r' } })).toThrow(
      TypeError,
    )
  })
})

test('exit codes tell kinds apart', () => {
  const kinds = ['usage', 'input', 'refused', 'environment', 'internal'] as const
  expect(kinds.map(exitCodeFor)).toEqual([2, 3, 4, 5, 70])
})
