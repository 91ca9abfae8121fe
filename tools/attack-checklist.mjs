#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Writes docs/reference/attack-checklist.md: every line of attack-checklist.json with the test files that name its number
// (`#27` in a test's name). With --check it only compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './runner/environment.mjs'
import { listCommittable } from './runner/files.mjs'

export const checklistPath = join(root, 'docs', 'reference', 'attack-checklist.md')
const dataPath = join(root, 'tools', 'attack-checklist.json')

/** A quoted text that begins with numbers: the name of a test, or of a row in a table of tests. */
const numberedName = /(["'`])((?:#\d{1,2} )+)/g

/** The test files that name each number, in the order of their paths. */
export function namedNumbers() {
  const found = new Map()
  const paths = listCommittable(root).filter((it) => /\.test\.ts$/.test(it))
  for (const path of paths.sort()) {
    const text = readFileSync(join(root, path), 'utf8')
    for (const [, , numbers] of text.matchAll(numberedName)) {
      for (const [, number] of numbers.matchAll(/#(\d+)/g)) {
        found.set(Number(number), (found.get(Number(number)) ?? new Set()).add(path))
      }
    }
  }
  return found
}

/** The document as text. */
export function renderChecklist(groups, found) {
  const lines = [
    '# Attacks on attestation, and the tests that hold them off',
    '',
    'Generated from the names of tests by `npm run checklist:doc`. A test that holds an attack off carries its number in its',
    'name. A line without a test says why, or that there is none.',
  ]
  for (const { group, lines: attacks } of groups) {
    lines.push('', `## ${group}`, '', '| | attack | held off by |', '|---|---|---|')
    for (const { number, attack, note } of attacks) {
      const files = [...(found.get(number) ?? [])].map((it) => `\`${it}\``)
      const parts = [...files, ...(note === undefined ? [] : [note])]
      lines.push(`| ${number} | ${attack} | ${parts.join(', ') || '**no test names it**'} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = renderChecklist(JSON.parse(readFileSync(dataPath, 'utf8')), namedNumbers())
  const isCurrent = existsSync(checklistPath) && readFileSync(checklistPath, 'utf8') === text
  if (!process.argv.includes('--check')) {
    if (!isCurrent) writeFileSync(checklistPath, text)
  } else if (!isCurrent) {
    process.stderr.write(
      'docs/reference/attack-checklist.md is not what the tests say: run "npm run checklist:doc"\n',
    )
    process.exitCode = 1
  }
}
