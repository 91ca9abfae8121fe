#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Writes spec/policy.schema.json, the form of a policy with a section for every platform of this build, from the schemas
// that policies are read with. With --check it only compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { policyJsonSchema } from '@mlcapsule/attestation'
import { verifiers } from '../src/attestation/verifiers.ts'

const path = fileURLToPath(new URL('../../../spec/policy.schema.json', import.meta.url))
const text = `${JSON.stringify(policyJsonSchema(verifiers), null, 2)}\n`
const isCurrent = existsSync(path) && readFileSync(path, 'utf8') === text

if (!process.argv.includes('--check')) {
  if (!isCurrent) writeFileSync(path, text)
} else if (!isCurrent) {
  process.stderr.write('spec/policy.schema.json is not what the source says: run "npm run policy:schema"\n')
  process.exitCode = 1
}
