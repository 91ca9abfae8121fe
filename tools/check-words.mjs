#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Refuses what must not be in a file of the repository: paths of one machine, package registries, and notes of unfinished
// work. The forbidden words are put together from parts, so that this file passes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root as repositoryRoot } from './runner/environment.mjs'
import { listCommittable } from './runner/files.mjs'

const machineDirs = ['work', 'root', 'home', 'Users'].join('|')
const unfinished = [`TO${'DO'}`, `FIX${'ME'}`, `XX${'X'}`].join('|')
const registries = ['registry', 'npmjs', 'yarnpkg', 'npmmirror', 'verdaccio', 'artifactory'].join('|')

const everywhere = [
  { what: 'a path of one machine', pattern: new RegExp(`(?<![\\w.~$}>*-])/(?:${machineDirs})/\\w`) },
]
const inText = [
  { what: 'a note of unfinished work', pattern: new RegExp(`\\b(?:${unfinished})\\b`) },
  { what: 'the address of a package registry', pattern: new RegExp(`://[\\w.-]*\\b(?:${registries})\\b`) },
]
const inLockFiles = [{ what: 'a download address', pattern: /"resolved":|\btarball:|^\s*resolution:.*:\/\// }]

const isLockFile = (path) => /(^|\/)(pnpm-lock\.yaml|package-lock\.json)$/.test(path)

/** Every forbidden word in one file, as `{ line, what }`. */
export function findWords(path, bytes) {
  const isBinary = bytes.includes(0)
  const patterns = [...everywhere, ...(isBinary ? [] : inText), ...(isLockFile(path) ? inLockFiles : [])]
  const lines = bytes.toString(isBinary ? 'latin1' : 'utf8').split('\n')
  return lines.flatMap((text, index) =>
    patterns.filter((it) => it.pattern.test(text)).map((it) => ({ line: index + 1, what: it.what })),
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const path of listCommittable(repositoryRoot)) {
    for (const { line, what } of findWords(path, readFileSync(join(repositoryRoot, path)))) {
      process.stderr.write(`${path}:${line}: ${what}\n`)
      process.exitCode = 1
    }
  }
}
