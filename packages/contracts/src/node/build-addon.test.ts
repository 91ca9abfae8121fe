// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addonFolder, buildAddon } from './build-addon.ts'

const source = `#define NAPI_VERSION 8
#include <node_api.h>
static napi_value init(napi_env env, napi_value exports) {
  napi_value answer;
  napi_create_int32(env, 42, &answer);
  napi_set_named_property(env, exports, "answer", answer);
  return exports;
}
NAPI_MODULE(test, init)
`

describe('buildAddon', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlcapsule-addon-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  function makePackage(name: string, text: string): string {
    const packageRoot = join(folder, name)
    mkdirSync(packageRoot)
    writeFileSync(join(packageRoot, 'addon.c'), text)
    return packageRoot
  }
  const build = (packageRoot: string) => buildAddon({ packageRoot, source: 'addon.c', name: 'test.node' })

  test('builds what Node loads, with the same bytes in any folder, or says why not', () => {
    const [one, two] = [makePackage('one', source), makePackage('another', source)]
    const [first, second] = [build(one), build(two)]
    if (first.status === 'skipped') {
      expect(first.reason).not.toBe('')
      expect(readdirSync(one)).toEqual(['addon.c'])
      return
    }
    expect(first.path).toBe(join(one, addonFolder, 'test.node'))
    expect(readdirSync(join(one, addonFolder))).toEqual(['test.node'])
    expect(createRequire(import.meta.url)(first.path)).toEqual({ answer: 42 })
    expect(second.status === 'built' && readFileSync(second.path).equals(readFileSync(first.path))).toBe(true)
  })

  test('a source that the compiler refuses is an error, and leaves no addon', () => {
    const broken = makePackage('broken', 'int x')
    if (build(makePackage('whole', source)).status === 'skipped') return
    expect(() => build(broken)).toThrow('failed')
    expect(readdirSync(join(broken, addonFolder))).toEqual([])
  })
})
