// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const programs = ['swtpm', 'swtpm_setup', 'swtpm_localca', 'tpm2'] as const

function pathOf(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders
    .map((it) => join(it, program))
    .find((it) => {
      try {
        accessSync(it, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Why a TPM in software cannot be started here, or null where it can. */
export function noSwtpm(): string | null {
  const absent = programs.filter((it) => pathOf(it) === undefined)
  return absent.length === 0 ? null : `skipped: ${absent.join(', ')} not installed`
}

export interface SoftwareTpm {
  readonly tcti: string
  /** DER of what stands above the endorsement key's certificate: the authority, then the root. */
  readonly authorities: readonly Uint8Array[]
  /** Runs a command of tpm2-tools in a folder of the TPM's own. */
  run(...args: readonly string[]): Promise<void>
  readFile(name: string): Uint8Array
  writeFile(name: string, bytes: Uint8Array): void
  stop(): Promise<void>
}

const runProgram = promisify(execFile)
const timeoutMs = 30_000

function derOf(pemPath: string): Uint8Array {
  const body = readFileSync(pemPath, 'utf8').replace(/-----[A-Z ]+-----|\s/g, '')
  return new Uint8Array(Buffer.from(body, 'base64'))
}

async function listen(port: number): Promise<Server | null> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return server
  } catch {
    return null
  }
}

interface PortPair {
  readonly port: number
  readonly servers: readonly Server[]
}

/** The tools take the port after the one that they are told for the control channel. */
async function listenOnPair(): Promise<PortPair> {
  for (;;) {
    const first = await listen(0)
    const address = first?.address()
    if (first === null || address === null || typeof address !== 'object') continue
    const second = await listen(address.port + 1)
    if (second !== null) return { port: address.port, servers: [first, second] }
    await close([first])
  }
}

async function close(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((it) => promisify(it.close.bind(it))()))
}

async function freePorts(): Promise<number> {
  const { port, servers } = await listenOnPair()
  await close(servers)
  return port
}

/** What takes connections as a TPM would, and never answers. */
export async function listenSilently(): Promise<{ readonly tcti: string; close(): Promise<void> }> {
  const { port, servers } = await listenOnPair()
  for (const it of servers) it.on('connection', (socket) => socket.on('error', () => undefined).resume())
  return { tcti: tctiOf(port), close: () => close(servers) }
}

const tctiOf = (port: number) => `swtpm:host=127.0.0.1,port=${port}`

async function untilOpen(port: number, server: ChildProcess): Promise<void> {
  for (let left = timeoutMs; left > 0; left -= 20) {
    if (server.exitCode !== null) throw new Error(`swtpm ended with ${server.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch {
      await pause(20)
    } finally {
      socket.destroy()
    }
  }
  throw new Error('swtpm does not listen')
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
}

/** Between the look for free ports and their use, others may take them. */
async function launch(
  stateDir: string,
  attemptsLeft = 3,
): Promise<{ readonly port: number; readonly server: ChildProcess }> {
  const port = await freePorts()
  const sockets = ['--server', `type=tcp,port=${port},bindaddr=127.0.0.1`]
  const control = ['--ctrl', `type=tcp,port=${port + 1},bindaddr=127.0.0.1`]
  const flags = ['--tpm2', '--tpmstate', `dir=${stateDir}`, '--flags', 'not-need-init,startup-clear']
  const server = spawn('swtpm', ['socket', ...flags, ...sockets, ...control], { stdio: 'ignore' })
  try {
    await untilOpen(port + 1, server)
    return { port, server }
  } catch (error) {
    await end(server)
    if (attemptsLeft <= 1) throw error
    return await launch(stateDir, attemptsLeft - 1)
  }
}

/** Starts a TPM 2.0 in software on loopback, whose endorsement keys a test authority of its own has certified. */
export async function startSwtpm(): Promise<SoftwareTpm> {
  const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-swtpm-'))
  const path = (name: string) => join(folder, name)
  for (const it of ['state', 'authority', 'work']) mkdirSync(path(it))
  const lines = (...all: string[]) => all.map((it) => `${it}\n`).join('')
  writeFileSync(path('options'), '')
  writeFileSync(
    path('authority.conf'),
    lines(
      `statedir = ${path('authority')}`,
      `signingkey = ${path('authority/key.pem')}`,
      `issuercert = ${path('authority/certificate.pem')}`,
      `certserial = ${path('authority/serial')}`,
    ),
  )
  writeFileSync(
    path('setup.conf'),
    lines(
      `create_certs_tool = ${pathOf('swtpm_localca')}`,
      `create_certs_tool_config = ${path('authority.conf')}`,
      `create_certs_tool_options = ${path('options')}`,
    ),
  )
  const setup = [
    '--tpm2',
    '--createek',
    '--create-ek-cert',
    '--tpmstate',
    path('state'),
    '--config',
    path('setup.conf'),
  ]
  await runProgram('swtpm_setup', [...setup, '--logfile', path('log')], { timeout: timeoutMs })
  const { port, server } = await launch(path('state'))
  const stop = async () => {
    await end(server)
    rmSync(folder, { recursive: true, force: true })
  }
  const tcti = tctiOf(port)
  const env = { ...process.env, TPM2TOOLS_TCTI: tcti }
  return {
    tcti,
    authorities: ['authority/certificate.pem', 'authority/swtpm-localca-rootca-cert.pem'].map((it) =>
      derOf(path(it)),
    ),
    async run(...args) {
      await runProgram('tpm2', [...args], { cwd: path('work'), env, timeout: timeoutMs })
    },
    writeFile: (name, bytes) => writeFileSync(path(join('work', name)), bytes),
    readFile: (name) => new Uint8Array(readFileSync(path(join('work', name)))),
    stop,
  }
}
