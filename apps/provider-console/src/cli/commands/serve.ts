// SPDX-License-Identifier: Apache-2.0
import { formatDuration, printableJson, printError, type Styles } from '@mlcapsule/terminal'
import { type CliContext, integerOption } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import type { RequestRecord } from '../../api/app.ts'
import { serveProvider } from '../../service/serve.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

interface ServeCommandOptions extends StoreOptions {
  readonly host: string
  readonly port: number
  readonly quiet?: true
}

const loopbackPattern = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/

function requestLine(style: Styles, record: RequestRecord): string {
  const status =
    record.status < 400 ? style.green(String(record.status)) : style.yellow(String(record.status))
  const code = record.code === undefined ? '' : `  ${record.code}`
  return `${status}  ${record.method.padEnd(4)} ${record.path.padEnd(15)}  ${formatDuration(record.durationMs)}${code}`
}

export function addServe(context: CliContext, program: Command): void {
  const { style, stdout, stderr } = context
  addStoreCommand(context, program, {
    name: 'serve',
    about: 'hand out keys to enclaves that the policies accept, until stopped',
    examples: [
      'serve',
      'serve --port 8750 --store /srv/mlcapsule',
      'serve --port 0 --json   # prints the address',
    ],
  })
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on, 0 for a free one', integerOption(0, 65_535), 8750)
    .option('--quiet', 'do not print a line per request')
    .action(async (options: ServeCommandOptions) => {
      const isJson = options.json === true
      const stopped = new Promise<void>((resolve) => context.onStop(resolve))
      const onRequest = (record: RequestRecord): void => {
        if (options.quiet === true) return
        const line = isJson ? printableJson({ event: 'request', ...record }) : requestLine(style, record)
        stdout.write(`${line}\n`)
      }
      const service = await serveProvider({
        storeDir: options.store,
        host: options.host,
        port: options.port,
        onRequest,
        onFailure: (error) => printError(error, context, { json: isJson }),
      })
      if (isJson) stdout.write(`${JSON.stringify({ event: 'listening', url: service.url })}\n`)
      else stdout.write(`${style.green('listening')} on ${style.bold(service.url)}, stop with Ctrl+C\n`)
      if (!loopbackPattern.test(options.host)) {
        stderr.write(
          `${style.yellow('note')} other machines can reach this service: put a proxy with TLS before it\n`,
        )
      }
      await stopped
      await service.close()
      stdout.write(isJson ? `${JSON.stringify({ event: 'stopped' })}\n` : 'stopped\n')
    })
}
