// SPDX-License-Identifier: Apache-2.0
// One contest in a process of its own: nothing is left in memory for the next one.
import { parseArgs } from 'node:util'
import { contest } from './contest.ts'
import { engines } from './engines/index.ts'
import { networks } from './networks/index.ts'

const { values } = parseArgs({
  options: {
    network: { type: 'string', default: '' },
    engines: { type: 'string', default: '' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
  },
})
const network = networks[values.network]?.()
if (network === undefined) throw new Error(`no network ${values.network}`)
const entrants = values.engines.split(',').map((name) => {
  const engine = engines[name]
  if (engine === undefined) throw new Error(`no engine ${name}`)
  return engine
})
const { macCount, parameterCount } = network
const contenders = await contest(network, entrants, {
  threadCount: Number(values.threads),
  roundCount: Number(values.rounds),
})
const result = `${JSON.stringify({ macCount, parameterCount, contenders })}\n`
// Threads of peers may not end by themselves.
process.stdout.write(result, () => process.exit(0))
