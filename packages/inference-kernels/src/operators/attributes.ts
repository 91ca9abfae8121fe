// SPDX-License-Identifier: Apache-2.0

/** What an operator's attribute may be, and its value where a program leaves it out. */
export type AttributeSchema =
  | { readonly kind: 'int'; readonly otherwise: number }
  | { readonly kind: 'float'; readonly otherwise: number }
  | { readonly kind: 'flag'; readonly otherwise: boolean }
  | { readonly kind: 'ints'; readonly otherwise: readonly number[] }
  | { readonly kind: 'floats'; readonly otherwise: readonly number[] }
  | { readonly kind: 'oneOf'; readonly otherwise: string; readonly members: readonly string[] }

export type AttributeValue = number | boolean | string | readonly number[]
export type AttributeSchemas = Readonly<Record<string, AttributeSchema>>

/** Elements of an attribute that is a list. */
export const attributeElementCount = 4096

export const int = (otherwise: number) => ({ kind: 'int', otherwise }) as const
export const float = (otherwise: number) => ({ kind: 'float', otherwise }) as const
export const flag = (otherwise: boolean) => ({ kind: 'flag', otherwise }) as const
export const ints = (otherwise: readonly number[] = []) => ({ kind: 'ints', otherwise }) as const
export const floats = (otherwise: readonly number[] = []) => ({ kind: 'floats', otherwise }) as const
export const oneOf = <const Member extends string>(
  members: readonly Member[],
  otherwise: NoInfer<Member> = members[0] as Member,
) => ({ kind: 'oneOf', members, otherwise }) as const

/** The values that go with a set of schemas. */
export type AttributesOf<Schemas extends AttributeSchemas> = {
  readonly [Name in keyof Schemas]: Schemas[Name] extends { readonly members: readonly (infer Member)[] }
    ? Member
    : Schemas[Name]['kind'] extends 'flag'
      ? boolean
      : Schemas[Name]['kind'] extends 'ints' | 'floats'
        ? readonly number[]
        : number
}

const isInt = (value: unknown) => Number.isInteger(value) && Math.abs(value as number) <= 2 ** 31 - 1
const isFloat = (value: unknown) => typeof value === 'number' && !Number.isNaN(value)
const isList = (value: unknown, each: (item: unknown) => boolean) =>
  Array.isArray(value) && value.length <= attributeElementCount && value.every(each)

/** Whether a value may stand for an attribute. Integers have 32 bits; floats are not NaN. */
export function isAttributeValue(schema: AttributeSchema, value: unknown): value is AttributeValue {
  switch (schema.kind) {
    case 'int':
      return isInt(value)
    case 'float':
      return isFloat(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'ints':
      return isList(value, isInt)
    case 'floats':
      return isList(value, isFloat)
    case 'oneOf':
      return schema.members.includes(value as string)
  }
}
