// SPDX-License-Identifier: Apache-2.0
// The steps that succeed, in their order.
import { basename } from 'node:path'
import { formatBytes, formatCount, formatItems, printable } from '@mlcapsule/terminal'
import { DemoError } from './programs.mjs'

const provider = 'mlcapsule-provider'
const client = 'mlcapsule'
const capsuleFile = 'model.capsule'

const percent = (share) => `${(share * 100).toFixed(1)} %`
const option = (name, value) => (value === undefined ? [] : [name, value])

export async function startService({ programs, screen }) {
  screen.step('The provider makes its keys, and starts its service: it hands out keys, and sees no query')
  screen.command(`${provider} keygen`)
  const { publisher, authority } = await programs.json(provider, 'keygen')
  screen.command(`${provider} serve`)
  const service = await programs.serve()
  screen.facts([
    ['publisher', publisher.thumbprint],
    ['authority', authority.thumbprint],
    ['listening', `${service.url}, this machine only`],
  ])
  return service
}

export async function packModel({ programs, screen, model, name, labels, preprocess, defenses }) {
  screen.step('It seals its model into a capsule, a file that anyone may have')
  const defenseArgs = defenses.flatMap((it) => ['--defense', it])
  const shown = [
    '-o',
    capsuleFile,
    ...option('--preprocess', preprocess && basename(preprocess)),
    ...defenseArgs,
  ]
  screen.command(`${provider} pack ${basename(model)} ${shown.join(' ')}`)
  const modelArgs = [model, '-o', capsuleFile, '--name', name, ...defenseArgs]
  const { header, summary } = await programs.json(
    provider,
    'pack',
    ...modelArgs,
    ...option('--labels', labels),
    ...option('--preprocess', preprocess),
  )
  const pageCount = header.blobs.program.pageCount + header.blobs.weights.pageCount
  screen.facts([
    [
      'capsule',
      `${formatBytes(header.sizeBytes)}, ${formatCount(pageCount)} pages, each encrypted and bound to its place`,
    ],
    [
      'inside',
      `${formatCount(summary.parameterCount)} parameters in ${formatCount(summary.stepCount)} steps, unseen from outside`,
    ],
    ['in the path', `${defenses.map((it) => it.replace(':', ', ')).join('; ')}, run inside on every answer`],
  ])
}

export async function orderQueries({ programs, screen, entry, inputs }) {
  screen.step('The provider says which enclave may have the key, and takes an order')
  screen.command(`${client} measure --entry ${entry} -o manifest.json`)
  screen.command(`${client} key -o customer.jwk`)
  const [{ manifestSha384, manifest }, customer] = await Promise.all([
    programs.json(client, 'measure', '--entry', entry, '-o', 'manifest.json'),
    programs.json(client, 'key', '-o', 'customer.jwk'),
  ])
  screen.command(`${provider} policy create --manifest manifest.json --allow-unattested ${entry}`)
  const policy = ['--manifest', 'manifest.json', '--allow-unattested', entry]
  await programs.json(provider, 'policy', 'create', ...policy)
  screen.command(
    `${provider} license create --capsule ${capsuleFile} --customer customer.jwk --queries ${inputs.length}`,
  )
  const order = await orderFor({ programs }, 'customer.jwk', inputs.length)
  screen.facts([
    ['measurement', `${manifestSha384.slice(0, 48)}…`],
    ['covers', manifest.components.map((it) => it.name).join(', ')],
    ['customer', customer.thumbprint],
    ['order', formatItems(order.units, 'query', 'queries')],
  ])
  screen.warning(
    `no hardware vouches for entry ${entry}: the owner of the client’s machine could read the model.`,
  )
  screen.line(
    screen.style.dim(
      '        Without --allow-unattested the key goes only to an enclave that a processor’s maker signs for.',
    ),
  )
}

/** An order of so many queries for the customer with this public key. */
export async function orderFor({ programs }, customerFile, queries) {
  const args = ['--capsule', capsuleFile, '--customer', customerFile, '--queries', String(queries)]
  return await programs.json(provider, 'license', 'create', ...args)
}

export async function activateModel({ programs, screen, entry }, service) {
  screen.step('The client starts the enclave; evidence goes out, license and key come back')
  screen.command(`${client} trust publisher.jwk`)
  await programs.json(client, 'trust', 'provider/keys/publisher.jwk')
  screen.command(`${client} activate ${capsuleFile} --service ${service.url}`)
  const args = ['--service', service.url, '--entry', entry]
  const activation = await programs.json(client, 'activate', capsuleFile, ...args)
  const { enclave } = activation
  screen.facts([
    ['appraised', `measurement as pinned, tier ${activation.tier}: ${screen.style.green('accepted')}`],
    [
      'license',
      `${formatItems(activation.unitsLeft, 'query', 'queries')}, until ${new Date(activation.expiresAtMs).toISOString().slice(0, 10)}`,
    ],
    ['enclave', `${enclave.entry}, ${enclave.kernels} kernels (${activation.isa})`],
    ['memory', formatBytes(activation.memorySizeBytes)],
  ])
}

export async function answerQueries({ programs, screen, entry, inputs, expected }) {
  screen.step(
    `The client asks ${inputs.length === 1 ? 'once' : `${formatCount(inputs.length)} times`}; no input and no answer leaves the machine`,
  )
  const shownInputs = expected === undefined ? inputs.map((it) => basename(it)).join(' ') : 'samples/*.png'
  screen.command(`${client} run ${capsuleFile} ${shownInputs}`)
  const args = [capsuleFile, ...inputs, '--entry', entry]
  const answers = await programs.lines(client, 'run', ...args)
  if (answers.length !== inputs.length)
    throw new DemoError(`${inputs.length} queries, ${answers.length} answers`)
  if (expected === undefined) showAnswers(screen, answers)
  else showGrid(screen, answers, expected)
}

function showAnswers(screen, answers) {
  const rows = answers.flatMap(({ input, classes, outputs }) =>
    classes === undefined
      ? Object.entries(outputs).map(([name, it]) => [
          basename(input),
          printable(name),
          `${it.dtype} [${it.shape.join(', ')}]`,
        ])
      : classes
          .filter((it, i) => i === 0 || it.confidence >= 0.0005)
          .map((it, i) => [i === 0 ? basename(input) : '', percent(it.confidence), printable(it.label)]),
  )
  screen.rows(rows, { align: 'lrl' })
}

const columnCount = 4

function showGrid(screen, answers, expected) {
  const { style } = screen
  const cells = answers.map(({ input, classes: [best] }, i) => {
    const isRight = best.label === expected[i]
    return [
      style.dim(basename(input)),
      (isRight ? style.green : style.red)(best.label),
      percent(best.confidence),
    ]
  })
  const rowCount = Math.ceil(cells.length / columnCount)
  const rows = Array.from({ length: rowCount }, (_, row) =>
    Array.from(
      { length: columnCount },
      (_, column) => cells[column * rowCount + row] ?? ['', '', ''],
    ).flatMap((cell, column) => (column === 0 ? cell : [' ', ...cell])),
  )
  screen.rows(rows, { align: 'llrlllrlllrlllr' })
  const wrong = answers.filter(({ classes: [best] }, i) => best.label !== expected[i])
  if (wrong.length > 0) throw new DemoError(`${wrong.length} of ${answers.length} samples were misread`)
}

export async function checkReceipts({ programs, screen, inputs }, service) {
  screen.step('Both sides check the receipts; a statement of counts is all that goes back')
  screen.command(`${client} verify-receipts ${capsuleFile}`)
  const { licenses } = await programs.json(client, 'verify-receipts', capsuleFile)
  const [ours] = licenses
  screen.command(`${provider} receipts verify receipts.jsonl`)
  const theirs = await programs.json(provider, 'receipts', 'verify', ours.receiptsPath)
  screen.command(`${client} statements ${capsuleFile} --send --service ${service.url}`)
  const { statements } = await programs.json(
    client,
    'statements',
    capsuleFile,
    '--send',
    '--service',
    service.url,
  )
  const [statement] = statements
  if (ours.units !== inputs.length || theirs.units !== ours.units || theirs.head !== ours.head) {
    throw new DemoError(
      `${inputs.length} queries, but the client counts ${ours.units} and the provider ${theirs.units}`,
    )
  }
  if (statement?.claims.units !== ours.units || !statement.sent)
    throw new DemoError('the statement was not taken')
  screen.facts([
    [
      'client',
      `${formatItems(ours.queryCount, 'receipt')}, ${formatCount(ours.units)} of ${formatItems(ours.unitsGranted, 'unit')}, chain ${screen.style.green('verified')}`,
    ],
    [
      'provider',
      `${formatItems(theirs.queryCount, 'receipt')}, ${formatItems(theirs.units, 'unit')}, same head, chain ${screen.style.green('verified')}`,
    ],
    [
      'statement',
      `number ${statement.claims.seq}, ${formatItems(statement.claims.units, 'unit')}: ${screen.style.green('accepted')}`,
    ],
  ])
}
