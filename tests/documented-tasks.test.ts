// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listCommittable } from '../tools/runner/files.mjs'

const root = join(import.meta.dirname, '..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

test('every task that a document names exists', () => {
  const paths: string[] = listCommittable(root)
  const unknown = paths
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/npm run (?:-s )?([a-z][a-z:]*)/g)].map(
        ([, name = '']) => ({ path, name }),
      ),
    )
    .filter(({ name }) => scripts[name] === undefined)
  expect(unknown).toEqual([])
})

test('every script goes through the bootstrap, and the runner knows it', () => {
  const { stderr } = spawnSync(process.execPath, [join(root, 'tools', 'run.mjs')], { encoding: 'utf8' })
  const tasks = [...stderr.matchAll(/^ {2}([a-z:]+) {2,}\S/gm)].map(([, name = '']) => name)
  expect(scripts).toEqual(Object.fromEntries(tasks.map((name) => [name, `node tools/run.mjs ${name}`])))
})
