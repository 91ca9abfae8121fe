// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const root = join(import.meta.dirname, '..')
const folders = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(root, group, name)),
)
const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const published = folders
  .map((folder) => ({ folder, manifest: readManifest(folder) }))
  .filter(({ manifest }) => manifest.private !== true)

// What a user gets: each package packed, unpacked beside the others as a package manager would lay them out.
const home = mkdtempSync(join(tmpdir(), 'mlcapsule-packed-'))
const installed = (name: string) => join(home, 'node_modules', name)

function listFiles(folder: string, base = ''): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return []
    const path = join(base, entry.name)
    return entry.isDirectory() ? listFiles(join(folder, entry.name), path) : [path]
  })
}

beforeAll(() => {
  writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }')
  for (const { folder, manifest } of published) {
    const target = installed(manifest.name)
    mkdirSync(target, { recursive: true })
    const tarballs = mkdtempSync(join(home, 'tarball-'))
    execFileSync('pnpm', ['pack', '--pack-destination', tarballs], { cwd: folder, stdio: 'pipe' })
    const [tarball] = readdirSync(tarballs)
    execFileSync('tar', ['-xzf', join(tarballs, tarball as string), '-C', target, '--strip-components=1'])
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      if (dependency.startsWith('@mlcapsule/')) continue
      const link = join(target, 'node_modules', dependency)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(folder, 'node_modules', dependency), link, 'dir')
    }
  }
}, 120_000)

afterAll(() => rmSync(home, { recursive: true, force: true }))

describe.each(published.map(({ manifest }) => manifest.name))('%s, packed', (name) => {
  test('points at nothing but what is in the package', () => {
    const manifest = readManifest(installed(name))
    const targets = Object.values(manifest.exports).flatMap((conditions) => Object.values(conditions))
    const files = listFiles(installed(name))
    expect(targets.length).toBeGreaterThan(0)
    expect(targets.filter((target) => !files.includes(target.replace('./', '')))).toEqual([])
    expect(JSON.stringify(manifest)).not.toContain('@mlcapsule/source')
    expect(JSON.stringify(manifest.dependencies ?? {})).not.toMatch(/workspace:|catalog:/)
  })

  test('holds no tests and no sources but those of its parts in other languages', () => {
    const files = listFiles(installed(name))
    expect(files.filter((file) => /\.test\.|\.fuzz\.|tsconfig|vitest/.test(file))).toEqual([])
    expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([])
    // pnpm adds the workspace's LICENSE, but not where it takes another file (license.js) for one.
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md']))
    expect(readFileSync(join(installed(name), 'LICENSE'))).toEqual(readFileSync(join(root, 'LICENSE')))
  })

  test('is as package tools expect it', async () => {
    const { messages } = await publint({ pkgDir: installed(name), pack: false })
    expect(messages.map(({ code, type }) => `${type} ${code}`)).toEqual([])
  })

  test('every export can be imported by plain Node', () => {
    const subpaths = Object.keys(readManifest(installed(name)).exports)
    const specifiers = subpaths.map((subpath) => join(name, subpath))
    const script = `for (const it of ${JSON.stringify(specifiers)}) {
      const names = Object.keys(await import(it))
      console.log(JSON.stringify([it, names.length]))
    }`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: home,
      encoding: 'utf8',
    })
    const counts = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as [string, number])
    expect(counts.map(([specifier]) => specifier)).toEqual(specifiers)
    // Programs are imported for what they do.
    const isProgram = (specifier: string) => specifier.endsWith('/threads/main')
    expect(counts.filter(([specifier, count]) => count === 0 && !isProgram(specifier))).toEqual([])
  })

  test('its command starts', () => {
    for (const [command, file] of Object.entries(readManifest(installed(name)).bin ?? {})) {
      const output = execFileSync(process.execPath, [join(installed(name), file), '--help'], {
        cwd: home,
        encoding: 'utf8',
      })
      expect(output).toContain(`Usage: ${command}`)
    }
  })
})

test('the installed client runs the enclave that this repository builds', () => {
  const client = installed('@mlcapsule/client-runtime')
  const output = execFileSync(process.execPath, [join(client, 'bin/mlcapsule.mjs'), 'measure', '--json'], {
    cwd: home,
    encoding: 'utf8',
  })
  const built = JSON.parse(readFileSync(join(root, 'enclave-runtime/dist/manifest.json'), 'utf8'))
  expect(readdirSync(join(client, 'enclave')).sort()).toEqual(
    [...Object.keys(built.files), 'manifest.json'].sort(),
  )
  for (const file of ['enclave-core.mjs', 'entry-process.mjs']) expect(output).toContain(built.files[file])
  expect(readdirSync(join(root, 'apps/client-runtime'))).not.toContain('enclave')
})
