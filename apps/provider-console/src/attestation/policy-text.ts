// SPDX-License-Identifier: Apache-2.0
import { Document, isMap, parseDocument, visit } from 'yaml'
import { ProviderError } from '../errors.ts'

export const policyMaxSizeBytes = 262_144

function invalid(path: string, detail: string): ProviderError {
  return new ProviderError('PROVIDER_POLICY_INVALID', `${path}: ${detail}`, { field: path })
}

/**
 * Reads YAML 1.2 (core schema), and so JSON: one document that is an object, no key twice, no anchors, aliases or tags, so
 * that a file says what it seems to say, and a small one cannot grow.
 * @param path for messages
 * @throws ProviderError `PROVIDER_POLICY_INVALID`
 */
export function parsePolicyText(text: string, path: string): object {
  if (text.length > policyMaxSizeBytes)
    throw invalid(path, `it has more than ${policyMaxSizeBytes} characters`)
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) {
    const line = text.slice(0, problem.pos[0]).split('\n').length
    throw invalid(path, `line ${line} is not plain YAML or JSON (${problem.code})`)
  }
  if (!isMap(document.contents)) throw invalid(path, 'it is not an object: names with values')
  visit(document, {
    Alias: () => {
      throw invalid(path, 'it has an alias: write the value out')
    },
    Value: (_key, { anchor, tag }) => {
      if (anchor !== undefined)
        throw invalid(path, 'it has an anchor: write the value out where it is needed')
      if (tag !== undefined) throw invalid(path, 'it has a tag: write the value as it is')
    },
  })
  return document.toJS({ maxAliasCount: 0 }) as object
}

/** A policy, or another object of JSON, as YAML that `parsePolicyText` reads back. */
export function formatPolicyText(value: object): string {
  return new Document(value, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 })
}
