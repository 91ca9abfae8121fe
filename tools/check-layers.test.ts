// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkLayers } from './check-layers.mjs'

let root = ''

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function addPackage(
  dir: string,
  dependencies: readonly string[] = [],
  subpaths: readonly string[] = [],
): void {
  const name = `@mlcapsule/${dir.split('/').at(-1)}`
  const keys = ['.', ...subpaths.map((it) => `./${it}`)]
  const manifest = {
    name,
    exports: Object.fromEntries(keys.map((key) => [key, './src/index.ts'])),
    dependencies: Object.fromEntries(dependencies.map((it) => [`@mlcapsule/${it}`, 'workspace:^'])),
  }
  write(`${dir}/package.json`, JSON.stringify(manifest))
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'layers '))
  write('pnpm-workspace.yaml', 'packages:\n  - packages/*\n  - enclave-runtime\n  - apps/*\n  - tests\n')
  addPackage('packages/contracts')
  addPackage('packages/crypto', ['contracts'], ['node', 'testing'])
  addPackage('packages/inference-kernels', ['contracts'], ['program', 'native'])
  addPackage('packages/metering', ['contracts', 'crypto'])
  addPackage('packages/attestation', ['contracts', 'crypto'])
  addPackage('packages/enclave-bridge', ['contracts'], ['host', 'enclave'])
  addPackage('packages/model-graph', ['inference-kernels'])
  addPackage('apps/client-runtime', ['enclave-bridge'])
  addPackage('enclave-runtime', ['contracts'])
  addPackage('tests', ['enclave-runtime'])
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

/** What the check says of one file with this content. */
function problemsOf(path: string, text: string): string[] {
  write(path, text)
  return checkLayers(root)
}

const metering = 'packages/metering/src/index.ts'

describe('every form of import is seen', () => {
  test.each([
    ['static', `import { a } from '@mlcapsule/attestation'`],
    ['static over several lines', `import {\n  a,\n  type B,\n} from '@mlcapsule/attestation'`],
    ['default and named', `import a, { b } from '@mlcapsule/attestation'`],
    ['namespace', `import * as a from '@mlcapsule/attestation'`],
    ['side effect', `import '@mlcapsule/attestation'`],
    ['type only', `import type { A } from '@mlcapsule/attestation'`],
    ['inline type', `let a: import('@mlcapsule/attestation').A`],
    ['re-export', `export { a } from '@mlcapsule/attestation'`],
    ['star re-export', `export * from "@mlcapsule/attestation"`],
    ['type re-export', `export type { A } from '@mlcapsule/attestation'`],
    ['dynamic', `const a = await import('@mlcapsule/attestation')`],
    ['dynamic with a template', 'const a = await import(`@mlcapsule/attestation`)'],
    ['dynamic with a comment', `const a = await import(/* lazily */ '@mlcapsule/attestation')`],
    ['require', `const a = require('@mlcapsule/attestation')`],
    ['resolve', `const a = import.meta.resolve('@mlcapsule/attestation')`],
    ['subpath', `import { a } from '@mlcapsule/attestation/testing'`],
    [
      'after a regular expression with quotes',
      `const r = /['"\`/*]/\nimport { a } from '@mlcapsule/attestation'`,
    ],
  ])('%s', (_, text) => {
    const [problem = '', ...more] = problemsOf(metering, `${text}\n`)
    expect(problem).toContain('packages/metering may not import @mlcapsule/attestation')
    expect(more).toEqual([])
  })

  test('not in a comment', () => {
    const text = `/**\n * import { a } from '@mlcapsule/attestation'\n */\n// import '@mlcapsule/attestation'\nexport {}\n`
    expect(problemsOf(metering, text)).toEqual([])
  })

  test('with its line', () => {
    const [problem] = problemsOf(metering, `// one\n// two\nimport '@mlcapsule/attestation'\n`)
    expect(problem).toMatch(/^packages\/metering\/src\/index\.ts:3: /)
  })
})

describe('layers', () => {
  test('what the table allows passes', () => {
    write('packages/crypto/src/index.ts', `import type { A } from '@mlcapsule/contracts'\n`)
    expect(problemsOf(metering, `import { a } from '@mlcapsule/crypto'\n`)).toEqual([])
  })

  test('a dependency that the table forbids is refused even when unused', () => {
    addPackage('packages/contracts', ['crypto'])
    expect(checkLayers(root).join('\n')).toContain('packages/contracts may not depend on @mlcapsule/crypto')
  })

  test('a folder without a row is refused', () => {
    addPackage('packages/unheard-of')
    expect(checkLayers(root).join('\n')).toContain('no row for this folder')
  })

  test('an allowed import must be declared', () => {
    addPackage('packages/metering')
    const problems = problemsOf(metering, `import '@mlcapsule/crypto'\n`)
    expect(problems.join()).toContain('packages/metering/package.json does not list @mlcapsule/crypto')
  })

  test('only exported subpaths may be imported', () => {
    const problems = problemsOf(metering, `import '@mlcapsule/crypto/src/index.ts'\n`)
    expect(problems.join()).toContain('@mlcapsule/crypto does not export ./src/index.ts')
  })

  test('a relative import may not leave its package', () => {
    const problems = problemsOf(metering, `import { a } from '../../attestation/src/index.ts'\n`)
    expect(problems.join()).toContain('a relative import leaves packages/metering')
  })

  test('nor may a URL relative to the module', () => {
    const problems = problemsOf(metering, `new URL('../../attestation/src/index.ts', import.meta.url)\n`)
    expect(problems.join()).toContain('a relative import leaves packages/metering')
  })

  test('tests and configurations may use the repository tools', () => {
    write('packages/metering/vitest.config.ts', `import '../../tools/vitest.shared.ts'\n`)
    expect(problemsOf('tests/a.test.ts', `import '../tools/errors-doc.mjs'\n`)).toEqual([])
    expect(problemsOf(metering, `import '../../../tools/errors-doc.mjs'\n`)).toHaveLength(1)
  })

  test('tests alone may import the enclave runtime', () => {
    expect(problemsOf('tests/a.test.ts', `import '@mlcapsule/enclave-runtime'\n`)).toEqual([])
    const problems = problemsOf('apps/client-runtime/src/index.ts', `import '@mlcapsule/enclave-runtime'\n`)
    expect(problems.join()).toContain('apps/client-runtime may not import @mlcapsule/enclave-runtime')
  })

  test('a subpath that the table does not name is refused', () => {
    const app = 'apps/client-runtime/src/index.ts'
    expect(problemsOf(app, `import '@mlcapsule/enclave-bridge/host'\n`)).toEqual([])
    expect(problemsOf(app, `import '@mlcapsule/enclave-bridge/enclave'\n`)).toHaveLength(1)
    write(app, '')
  })

  test('the enclave may run models, but not bring tfjs along', () => {
    addPackage('packages/inference-kernels', ['contracts'], ['wasm', 'tfjs'])
    addPackage('enclave-runtime', ['inference-kernels'])
    const core = 'enclave-runtime/src/index.ts'
    expect(problemsOf(core, `import '@mlcapsule/inference-kernels/wasm'\n`)).toEqual([])
    const problems = problemsOf(core, `import '@mlcapsule/inference-kernels/tfjs'\n`)
    expect(problems.join()).toContain('enclave-runtime may not import @mlcapsule/inference-kernels/tfjs')
  })
})

describe('host side and enclave side', () => {
  test.each([
    ['host', '../enclave/a.ts'],
    ['enclave', '../host/a.ts'],
    ['enclave', '@mlcapsule/enclave-bridge/host'],
  ])('%s may not import %s', (side, specifier) => {
    const problems = problemsOf(`packages/enclave-bridge/src/${side}/index.ts`, `import '${specifier}'\n`)
    expect(problems.join()).toContain('side may not import the')
  })

  test('both may import the protocol', () => {
    write('packages/enclave-bridge/src/host/index.ts', `import '../protocol/index.ts'\n`)
    expect(
      problemsOf('packages/enclave-bridge/src/enclave/index.ts', `import '../protocol/index.ts'\n`),
    ).toEqual([])
  })
})

describe('portable files', () => {
  test.each([
    `import 'node:fs'`,
    `import { readFile } from 'fs/promises'`,
    `import type { Buffer } from 'buffer'`,
    `const a = await import(name)`,
    `import { a } from './node/index.ts'`,
    `import { a } from './a.test.ts'`,
    `import { a } from '@mlcapsule/crypto/node'`,
    `import { a } from '@mlcapsule/crypto/testing'`,
  ])('may not hold %s', (text) => {
    expect(problemsOf(metering, `${text}\n`)).toHaveLength(1)
  })

  test.each([
    'packages/metering/src/node/index.ts',
    'packages/metering/src/node.ts',
    'packages/metering/src/a.test.ts',
    'packages/crypto/src/testing/index.ts',
    'packages/inference-kernels/src/native/index.ts',
    'enclave-runtime/src/entries/process.ts',
    'apps/client-runtime/src/cli/main.ts',
  ])('%s may import Node', (path) => {
    expect(problemsOf(path, `import 'node:fs'\n`)).toEqual([])
  })

  test('may call a method named import', () => {
    expect(problemsOf(metering, 'const graph = importer.import(node)\n')).toEqual([])
  })
})

describe('cycles', () => {
  test('between packages', () => {
    addPackage('packages/contracts', ['crypto'])
    expect(checkLayers(root).join('\n')).toContain(
      'cycle: @mlcapsule/contracts → @mlcapsule/crypto → @mlcapsule/contracts',
    )
  })

  test('between files', () => {
    write('packages/metering/src/a.ts', `import { b } from './b.ts'\n`)
    const problems = problemsOf('packages/metering/src/b.ts', `export { a } from './a.ts'\n`)
    expect(problems).toEqual([
      'cycle: packages/metering/src/a.ts → packages/metering/src/b.ts → packages/metering/src/a.ts',
    ])
  })

  test('but not through types', () => {
    write('packages/metering/src/a.ts', `import { b } from './b.ts'\n`)
    expect(problemsOf('packages/metering/src/b.ts', `import type { A } from './a.ts'\n`)).toEqual([])
  })
})
