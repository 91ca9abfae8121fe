// SPDX-License-Identifier: Apache-2.0
import type { DefenseConfig } from '@mlcapsule/capsule-format'
import type { Defense, TensorSpec } from '@mlcapsule/contracts'
import { DefenseError, labelOnly, parseDefenseConfig, rounding, topK } from '@mlcapsule/defense-plugins'
import { ProviderError } from '../errors.ts'

/** Defenses that the released enclave has. A team with an enclave of its own passes its own list. */
export const builtInDefenses: readonly Defense[] = [
  rounding,
  topK,
  labelOnly,
] as unknown as readonly Defense[]

function parseValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

function parseSettings(text: string, argument: string): Readonly<Record<string, unknown>> {
  if (text === '') return {}
  const entries = text.split(',').map((setting) => {
    const [, name, value] = /^([A-Za-z][A-Za-z0-9]*)=(.+)$/.exec(setting) ?? []
    if (name !== undefined && value !== undefined) return [name, parseValue(value)] as const
    const detail = `${argument}: expected name=value, got ${setting || 'nothing'}`
    throw new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'defense' })
  })
  const names = entries.map(([name]) => name)
  if (new Set(names).size !== names.length) {
    throw new ProviderError('PROVIDER_OPTION_INVALID', `${argument}: a setting is given twice`, {
      field: 'defense',
    })
  }
  return Object.fromEntries(entries)
}

/**
 * A defense as the command line gives it, `rounding:decimals=3` say, with its configuration checked by its own schema.
 * @throws ProviderError `PROVIDER_DEFENSE_UNKNOWN`, `PROVIDER_OPTION_INVALID`; DefenseError `DEFENSE_CONFIG_INVALID`
 */
export function parseDefense(argument: string, known: readonly Defense[] = builtInDefenses): DefenseConfig {
  const [name = '', ...rest] = argument.split(':')
  const defense = known.find((it) => it.name === name)
  if (defense === undefined) {
    const detail = `there is no defense named ${name || '(empty)'}; there are ${known.map((it) => it.name).join(', ')}`
    throw new ProviderError('PROVIDER_DEFENSE_UNKNOWN', detail, { field: 'defense' })
  }
  const config = parseDefenseConfig(defense, parseSettings(rest.join(':'), argument))
  return { name: defense.name, version: defense.version, config }
}

/**
 * Checks that the built-in defenses can work on a model: on another output than float32 an enclave would block every query,
 * and charge it.
 * @throws DefenseError `DEFENSE_OUTPUT_UNSUPPORTED`
 */
export function assertDefensible(outputs: readonly TensorSpec[]): void {
  const other = outputs.find(({ dtype }) => dtype !== 'float32')
  if (other === undefined) return
  const detail = `output ${other.name} is ${other.dtype}, float32 is needed`
  throw new DefenseError('DEFENSE_OUTPUT_UNSUPPORTED', detail, { field: 'outputs' })
}
