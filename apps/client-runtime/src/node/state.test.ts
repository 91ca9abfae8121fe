// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { generateSigningKeyPair, keyThumbprint, publicKeyToJwk, toBase64Url } from '@mlcapsule/crypto'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test-support/folders.ts'
import { openCustomerKey } from './customer-key.ts'
import { readSmallFile, writeWholeFile } from './files.ts'
import { readPublicKey } from './public-key.ts'
import { defaultStateDir, openStateDir } from './state-dir.ts'

const code = (code: string) => expect.objectContaining({ code })
const isPosix = process.platform !== 'win32'

describe('state directory', () => {
  test('is found by the environment, then by the system', () => {
    expect(defaultStateDir({ MLCAPSULE_STATE: '/a/b', XDG_STATE_HOME: '/x' }, 'linux')).toBe('/a/b')
    expect(defaultStateDir({ XDG_STATE_HOME: '/x' }, 'linux')).toBe('/x/mlcapsule')
    expect(defaultStateDir({ XDG_STATE_HOME: 'relative' }, 'linux')).toBe(
      join(homedir(), '.local', 'state', 'mlcapsule'),
    )
    expect(defaultStateDir({}, 'darwin')).toBe(join(homedir(), 'Library', 'Application Support', 'mlcapsule'))
  })

  test.runIf(isPosix)('is made closed to others (POSIX)', async () => {
    const path = join(await temporaryFolder(), 'a', 'state')
    const { path: opened } = await openStateDir(path)
    expect(opened).toBe(path)
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    await expect(openStateDir(path)).resolves.toMatchObject({ path })
  })

  test.runIf(isPosix)('open to others is refused, and left as it is (POSIX)', async () => {
    const path = await temporaryFolder()
    await chmod(path, 0o755)
    await expect(openStateDir(path)).rejects.toThrow(code('CLIENT_STATE_UNSAFE'))
    expect(await readdir(path)).toEqual([])
  })

  test.runIf(isPosix)('that is a link or a file is refused (POSIX)', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'real'), { mode: 0o700 })
    await symlink(join(folder, 'real'), join(folder, 'link'))
    await writeFile(join(folder, 'file'), '')
    for (const name of ['link', 'file']) {
      await expect(openStateDir(join(folder, name))).rejects.toThrow(code('CLIENT_STATE_UNSAFE'))
    }
  })
})

describe('customer key', () => {
  test('is made once, for its owner alone, and never shows itself', async () => {
    const path = join(await temporaryFolder(), 'customer.key')
    const made = await openCustomerKey(path)
    const read = await openCustomerKey(path)
    expect(read.publicKey).toEqual(made.publicKey)
    if (isPosix) expect((await stat(path)).mode & 0o777).toBe(0o600)
    const secretHex = (await readFile(path)).subarray(16, 48).toString('hex')
    expect(inspect(read, { depth: 9 })).not.toContain(secretHex)
  })

  test('made by several at once is one key', async () => {
    const path = join(await temporaryFolder(), 'customer.key')
    const pairs = await Promise.all([1, 2, 3, 4].map(() => openCustomerKey(path)))
    expect(new Set(pairs.map((it) => keyThumbprint(it.publicKey))).size).toBe(1)
  })

  test('damaged, cut or exposed is refused and not replaced', async () => {
    const path = join(await temporaryFolder(), 'customer.key')
    await openCustomerKey(path)
    const whole = await readFile(path)
    for (const at of [0, 20, whole.length - 1]) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] as number) ^ 1
      await writeFile(path, damaged)
      await expect(openCustomerKey(path)).rejects.toThrow(code('CLIENT_KEY_FILE_INVALID'))
      expect(await readFile(path)).toEqual(damaged)
    }
    await writeFile(path, whole.subarray(0, 20))
    await expect(openCustomerKey(path)).rejects.toThrow(code('CLIENT_KEY_FILE_INVALID'))
    if (!isPosix) return
    await writeFile(path, whole)
    await chmod(path, 0o644)
    await expect(openCustomerKey(path)).rejects.toThrow(code('CLIENT_STATE_UNSAFE'))
  })
})

describe('public keys', () => {
  test('are read from a JSON Web Key or as they are', async () => {
    const { publicKey } = generateSigningKeyPair()
    const path = join(await temporaryFolder(), 'publisher.jwk')
    await writeFile(path, publicKeyToJwk(publicKey))
    expect(await readPublicKey(path)).toEqual(publicKey)
    expect(await readPublicKey(toBase64Url(publicKey))).toEqual(publicKey)
  })

  test.each([
    ['no JSON', 'x'],
    ['another curve', '{"kty":"OKP","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'],
    [
      'a kid of another key',
      '{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","kid":"a"}',
    ],
    ['another encoding', '{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"}'],
  ])('of %s are refused', async (_what, text) => {
    const path = join(await temporaryFolder(), 'publisher.jwk')
    await writeFile(path, text)
    await expect(readPublicKey(path)).rejects.toThrow(code('CLIENT_KEY_FILE_INVALID'))
  })
})

describe('files', () => {
  test('are written whole, and replaced only when asked', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'a.jws')
    await writeWholeFile(path, 'one')
    await expect(writeWholeFile(path, 'two')).rejects.toThrow(code('CLIENT_OUTPUT_EXISTS'))
    await writeWholeFile(path, 'two', { replace: true })
    expect(new TextDecoder().decode(await readSmallFile(path, 3))).toBe('two')
    expect(await readdir(folder)).toEqual(['a.jws'])
  })

  test('that are missing, too large, folders or in no folder have their codes', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'long'), 'four')
    await expect(readSmallFile(join(folder, 'none'), 3)).rejects.toThrow(code('CLIENT_FILE_UNREADABLE'))
    await expect(readSmallFile(join(folder, 'long'), 3)).rejects.toThrow(code('CLIENT_FILE_INVALID'))
    await expect(readSmallFile(folder, 3)).rejects.toThrow(code('CLIENT_FILE_INVALID'))
    await expect(writeWholeFile(join(folder, 'none', 'x'), '')).rejects.toThrow(
      code('CLIENT_FILE_NOT_WRITTEN'),
    )
  })
})
