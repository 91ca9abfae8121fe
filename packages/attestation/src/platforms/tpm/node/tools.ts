// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemCode } from '@mlcapsule/contracts/node'
import { deviceFailed, deviceUnavailable, readDeviceFile } from '../../../devices/node/device-file.ts'
import { oneAtATime } from '../../../devices/node/one-at-a-time.ts'
import { AttestationError } from '../../../errors.ts'

export interface TpmOptions {
  /**
   * How the tools reach the TPM: `device:/dev/tpmrm0` by default, else `device:`, `swtpm:`, `mssim:` or `tabrmd:` with
   * what each takes. Where there is no resource manager, nobody else may use the TPM meanwhile.
   */
  readonly tcti?: string
  /** For one command; 30,000 by default. */
  readonly timeoutMs?: number
}

/** One after another, in a folder of its own that is gone afterward. */
export interface TpmCommands {
  /** Runs a command of tpm2-tools; names of files are those of the folder. */
  run(command: string, ...options: readonly string[]): Promise<void>
  read(name: string): Promise<Uint8Array<ArrayBuffer>>
  write(name: string, bytes: Uint8Array): Promise<void>
}

const tctiPattern = /^(?:device|swtpm|mssim|tabrmd):[\x21-\x7e]{0,255}$/
/** No structure of a TPM that we ask for is longer; a certificate may be. */
const fileMaxSizeBytes = 8192

/**
 * Lets `act` use the TPM. Calls for the same TPM are served one after another.
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for a `tcti` of another form, `ATTESTATION_DEVICE_UNAVAILABLE`
 * where there are no tpm2-tools, `ATTESTATION_DEVICE_FAILED`
 */
export async function withTpm<Result>(
  options: TpmOptions,
  act: (commands: TpmCommands) => Promise<Result>,
): Promise<Result> {
  const { tcti = 'device:/dev/tpmrm0', timeoutMs = 30_000 } = options
  if (!tctiPattern.test(tcti)) {
    const detail = 'tcti: expected device:, swtpm:, mssim: or tabrmd: and what it takes'
    throw new AttestationError('ATTESTATION_CLAIMS_INVALID', detail, { field: 'tcti' })
  }
  return await oneAtATime(`tpm ${tcti}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mlcapsule-tpm-'))
    const run = (command: string, ...args: readonly string[]) =>
      runTool({ command, args, folder, tcti, timeoutMs })
    try {
      return await act({
        run,
        read: (name) => readDeviceFile(join(folder, name), fileMaxSizeBytes),
        write: (name, bytes) => writeFile(join(folder, name), bytes, { mode: 0o600 }),
      })
    } finally {
      // Without a resource manager, what a command has loaded stays, and a TPM has room for three.
      await run('flushcontext', '--transient-object').catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    }
  })
}

interface ToolCall {
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
  readonly tcti: string
  readonly timeoutMs: number
}

async function runTool({ command, args, folder, tcti, timeoutMs }: ToolCall): Promise<void> {
  const env = { PATH: process.env.PATH, TPM2TOOLS_TCTI: tcti, TSS2_LOG: 'all+none' }
  const options = { cwd: folder, env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 65_536 } as const
  const failure = await new Promise<{ readonly error: Error; readonly stderr: string } | null>((resolve) => {
    execFile('tpm2', [command, ...args], options, (error, _stdout, stderr) =>
      resolve(error === null ? null : { error, stderr }),
    )
  })
  if (failure === null) return
  // The error is not passed on: it carries what the command printed, and one prints the secret that it found.
  const { error, stderr } = failure
  if (systemCode(error) === 'ENOENT')
    deviceUnavailable('tpm2-tools are not installed: there is no program tpm2')
  if ('killed' in error && error.killed === true) {
    deviceFailed(`tpm2 ${command} did not end within ${timeoutMs} ms`)
  }
  const said = /^ERROR: ([\x20-\x7e]{1,200})/m.exec(stderr)?.[1] ?? 'without saying why'
  deviceFailed(`tpm2 ${command} failed: ${said}`)
}
