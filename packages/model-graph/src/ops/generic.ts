// SPDX-License-Identifier: Apache-2.0
import { type AttributeSchema, type AttributeValue, operatorOf } from '@mlcapsule/inference-kernels/program'
import type { Value } from '../graph/graph.ts'
import type { AttributeReader } from './attributes.ts'
import type { NodeContext } from './context.ts'

function readAttribute(
  attributes: AttributeReader,
  name: string,
  schema: AttributeSchema,
): AttributeValue | undefined {
  if (!attributes.has(name)) return undefined
  switch (schema.kind) {
    case 'int':
      return Math.min(Math.max(attributes.int(name, 0), -(2 ** 31) + 1), 2 ** 31 - 1)
    case 'flag':
      return attributes.int(name, 0) !== 0
    case 'float':
      return attributes.float(name, 0)
    case 'ints':
      return attributes.ints(name)
    case 'floats':
      return attributes.floats(name)
    case 'oneOf':
      return attributes.string(name, '')
  }
}

/**
 * The attributes of a node that an operator of the engine knows, by the same names.
 * @param except those that are spelled differently, and read elsewhere
 */
export function readAttributes(
  ctx: NodeContext,
  name: string,
  except: readonly string[] = [],
): Record<string, AttributeValue> {
  const given: Record<string, AttributeValue> = {}
  for (const [attribute, schema] of Object.entries(operatorOf(name)?.attributes ?? {})) {
    if (except.includes(attribute)) continue
    const value = readAttribute(ctx.attributes, attribute, schema)
    if (value === undefined) continue
    if (schema.kind === 'oneOf' && !schema.members.includes(value as string)) {
      ctx.unsupported(`${attribute} is ${JSON.stringify(value)}; supported are ${schema.members.join(', ')}`)
    }
    given[attribute] = value
  }
  return given
}

/**
 * An operator of the engine that takes a node as it stands: same inputs, same attributes.
 * @param name of the engine's operator, if it is not that of the node
 */
export const importOperator =
  (name?: string) =>
  (ctx: NodeContext): readonly Value[] => {
    const operator = name ?? ctx.opType
    return ctx.operatorOutputs(operator, ctx.inputs, readAttributes(ctx, operator), ctx.outputCount)
  }
