// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bashFunctions, programs, sourceCondition } from './support/programs.ts'

const root = join(import.meta.dirname, '..')
const digits = join(root, 'examples', 'digits')
const isBuilt = existsSync(join(root, 'enclave-runtime', 'dist', 'manifest.json'))
const timeout = 120_000
const exampleService = 'https://models.example'

const home = mkdtempSync(join(tmpdir(), 'mlcapsule-readme-'))
const env = { ...process.env, MLCAPSULE_STATE: join(home, 'state'), NODE_NO_WARNINGS: '1', NO_COLOR: '1' }

/** The first example in a language of an application's README. */
function example(app: string, language: string): string {
  const readme = readFileSync(join(root, 'apps', app, 'README.md'), 'utf8')
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1] ?? ''
}

const providerCommands = example('provider-console', 'sh')
const [clientKeyCommand = '', ...clientCommands] = example('client-runtime', 'sh').split('\n')

/** Runs commands as they stand; the first that fails ends them. */
async function bash(commands: string): Promise<string> {
  return (await promisify(execFile)('bash', ['-euc', `${bashFunctions}\n${commands}`], { cwd: home, env }))
    .stdout
}

describe.skipIf(!isBuilt)('the READMEs of the applications (needs a built enclave: npm run build)', () => {
  let service: ChildProcess | undefined

  beforeAll(() => {
    copyFileSync(join(digits, 'model', 'digits.onnx'), join(home, 'digits.onnx'))
    copyFileSync(join(digits, 'model', 'labels.txt'), join(home, 'labels.txt'))
    copyFileSync(join(digits, 'samples', '7-a.png'), join(home, 'seven.png'))
    copyFileSync(join(digits, 'samples', '3-a.png'), join(home, 'three.png'))
    const scope = join(home, 'node_modules', '@mlcapsule')
    mkdirSync(scope, { recursive: true })
    symlinkSync(join(root, 'apps', 'client-runtime'), join(scope, 'client-runtime'), 'dir')
  })

  afterAll(async () => {
    if (service !== undefined) {
      service.kill('SIGTERM')
      await once(service, 'close')
    }
    rmSync(home, { recursive: true, force: true })
  })

  /** Starts the README's service on a free port. @returns its address */
  async function serve(command: string): Promise<string> {
    const args = command.replace(/#.*/, '').replace('8750', '0').trim().split(/\s+/).slice(1)
    service = spawn(
      process.execPath,
      [sourceCondition, programs['mlcapsule-provider'], ...args, '--quiet', '--json'],
      { cwd: home, env, stdio: ['ignore', 'pipe', 'ignore'] },
    )
    const [line] = await once(createInterface({ input: service.stdout as NodeJS.ReadableStream }), 'line')
    return (JSON.parse(String(line)) as { url: string }).url
  }

  test('what they show works, in the order in which the two sides do it', { timeout }, async () => {
    await bash(`${clientKeyCommand}\nmlcapsule measure -o manifest.json`)
    const lines = providerCommands.trimEnd().split('\n')
    await bash(lines.slice(0, -1).join('\n'))
    const url = await serve(lines.at(-1) ?? '')
    copyFileSync(join(home, 'mlcapsule-store', 'keys', 'publisher.jwk'), join(home, 'publisher.jwk'))

    const answered = await bash(clientCommands.join('\n').replace(exampleService, url))
    expect(answered).toMatch(/^seven\.png +\d+\.\d % +7\b.*\nthree\.png +\d+\.\d % +3\b/m)

    const script = example('client-runtime', 'ts')
    const args = [sourceCondition, '--input-type=module-typescript', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: home, env })
    expect(stdout).toMatch(/^7 (1|0\.\d+) 997 queries left\n$/)
  })
})
