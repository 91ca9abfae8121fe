// SPDX-License-Identifier: Apache-2.0
import { planLaunch } from '@mlcapsule/enclave-bridge/node'
import { table } from '@mlcapsule/terminal'
import { addCommand, type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { findEnclave } from '../../node/enclave-location.ts'
import { writeWholeFile } from '../../node/files.ts'
import { addEnclaveOptions, type EnclaveCommandOptions, enclaveOptions } from '../context.ts'
import { indented } from '../describe.ts'

interface MeasureOptions extends EnclaveCommandOptions {
  readonly output?: string
}

export function addMeasure(context: CliContext, program: Command): void {
  const { style } = context
  const command = addCommand(program, {
    name: 'measure',
    about: 'show what would run inside the enclave, by name and digest, without starting it',
    examples: [
      'measure',
      'measure --entry worker',
      'measure -o manifest.json   # for a policy of the provider',
    ],
  })
  addEnclaveOptions(command)
    .option('-o, --output <file>', 'write the manifest that evidence will name')
    .action(async (options: MeasureOptions) => {
      const { entry, bundleDir, ...rest } = enclaveOptions(options)
      const plan = await planLaunch({ ...rest, entry, bundleDir: findEnclave(bundleDir) })
      const { manifest, manifestSha384 } = plan
      if (options.output !== undefined) {
        await writeWholeFile(options.output, `${JSON.stringify(manifest, null, 2)}\n`, { replace: true })
      }
      const components = table(
        manifest.components.map((it) => [it.name, it.sha384]),
        { indent: '  ' },
      )
      const plugins = table(
        manifest.plugins.map((it) => [it.kind, it.name, `version ${it.version}`]),
        { indent: '  ' },
      )
      const text = [
        indented(style, [
          ['measurement', style.bold(manifestSha384)],
          ['entry', manifest.entry],
        ]),
        `${style.dim('components')}\n${components}`,
        `${style.dim('plugins')}\n${plugins}`,
      ].join('\n\n')
      printReport(context, options, { text, json: { manifestSha384, manifest } })
    })
}
