// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { isMlCapsuleError } from '@mlcapsule/contracts'
import { privateFolderProblem, systemCode } from '@mlcapsule/contracts/node'
import { planLaunch } from '@mlcapsule/enclave-bridge/node'
import { formatBytes, table } from '@mlcapsule/terminal'
import { type CliContext, type CommonOptions, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { clientErrorTable } from '../../errors.ts'
import { findEnclave } from '../../node/enclave-location.ts'
import { addStateCommand } from '../context.ts'

interface DoctorOptions extends CommonOptions {
  readonly state: string
  readonly enclave?: string
  readonly nativeKernels?: string
}

interface Finding {
  readonly check: string
  readonly status: 'ok' | 'note' | 'problem'
  readonly detail: string
  readonly code?: string
  readonly remedy?: string
}

const environmentExitCode = 5
const minimumNode = [22, 12] as const
/** The instruction sets that kernels are made for, as Linux names them. */
const wantedFlags = ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'amx_int8', 'asimd', 'asimddp', 'i8mm']

export function addDoctor(context: CliContext, program: Command): void {
  const { style } = context
  addStateCommand(context, program, {
    name: 'doctor',
    about: 'check this machine: Node.js, processor, state directory, enclave',
    examples: ['doctor', 'doctor --json'],
  })
    .option('--enclave <dir>', 'folder of the built enclave')
    .option('--native-kernels <file>', 'file of the native kernels (default: the installed ones)')
    .action(async (options: DoctorOptions) => {
      const findings = [
        checkNode(),
        await checkProcessor(),
        await checkState(options.state),
        await checkEntry('process', options),
        await checkEntry('worker', options),
      ]
      const marks = { ok: style.green('ok'), note: style.yellow('note'), problem: style.red('problem') }
      const rows = findings.flatMap(({ check, status, detail, remedy }) => [
        [marks[status], check, detail],
        ...(remedy === undefined ? [] : [['', '', style.dim(`what to do: ${remedy}`)]]),
      ])
      printReport(context, options, { text: table(rows), json: { findings } })
      if (findings.some((it) => it.status === 'problem')) process.exitCode = environmentExitCode
    })
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isNewEnough = major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])
  const detail = `${process.version} on ${process.platform}-${process.arch}`
  if (isNewEnough) return { check: 'Node.js', status: 'ok', detail }
  return {
    check: 'Node.js',
    status: 'problem',
    detail,
    remedy: `Install Node.js ${minimumNode.join('.')} or newer.`,
  }
}

async function checkProcessor(): Promise<Finding> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.trim().split(' '))
  const found = wantedFlags.filter((flag) => flags.has(flag))
  const all = cpus()
  const model = all[0]?.model.trim() || 'unknown model'
  const sets = found.length === 0 ? '' : `; ${found.join(', ')}`
  const detail = `${all.length} × ${model}, ${formatBytes(totalmem())} memory${sets}`
  return { check: 'processor', status: 'ok', detail }
}

/** Looks, and makes nothing. */
async function checkState(path: string): Promise<Finding> {
  const check = 'state'
  try {
    const problem = await privateFolderProblem(path)
    if (problem === undefined) return { check, status: 'ok', detail: `${path}, closed to other users` }
    const { remedy } = clientErrorTable.CLIENT_STATE_UNSAFE
    return { check, status: 'problem', code: 'CLIENT_STATE_UNSAFE', detail: `${path}: ${problem}`, remedy }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { check, status: 'ok', detail: `${path}, made at first use` }
    return { check, status: 'problem', detail: `${path} cannot be looked at (${systemCode(error)})` }
  }
}

async function checkEntry(entry: 'process' | 'worker', options: DoctorOptions): Promise<Finding> {
  const check = `entry ${entry}`
  try {
    const plan = await planLaunch({
      entry,
      bundleDir: findEnclave(options.enclave),
      ...(options.nativeKernels === undefined ? {} : { nativeKernelsPath: options.nativeKernels }),
    })
    const transport = entry === 'process' && plan.sharedMemoryPath === undefined ? ', no shared memory' : ''
    const detail = `${plan.kernels} kernels${transport}; measurement ${plan.manifestSha384}`
    return { check, status: 'ok', detail }
  } catch (error) {
    if (!isMlCapsuleError(error)) throw error
    return { check, status: 'problem', code: error.code, detail: error.message, remedy: error.remedy }
  }
}
