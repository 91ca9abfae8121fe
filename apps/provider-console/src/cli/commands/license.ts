// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import { toBase64Url } from '@mlcapsule/crypto'
import { fields, formatCount, table } from '@mlcapsule/terminal'
import { type CliContext, integerOption, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { readPolicyFile, storePolicyFile } from '../../attestation/policy-file.ts'
import { ProviderError } from '../../errors.ts'
import { readPublicKey } from '../../keys/public-key.ts'
import type { OrderTerms } from '../../service/order-terms.ts'
import { withProvider } from '../../service/with-provider.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { unattestedWarning } from './policy.ts'

const idPattern = /^[A-Za-z0-9_-]{43}$/

/** A capsule as users name it: by its id, or by its file. */
export async function readCapsuleId(idOrPath: string): Promise<string> {
  if (idPattern.test(idOrPath) && !existsSync(idOrPath)) return idOrPath
  const source = await fileSource(idOrPath)
  try {
    const { header } = await openCapsule(source, { publishers: 'any-unverified-publisher' })
    return toBase64Url(header.capsuleId)
  } finally {
    await source.close?.()
  }
}

interface CreateOptions extends StoreOptions {
  readonly capsule: string
  readonly customer: string
  readonly queries: number
  readonly policy?: string
  readonly grant?: number
  readonly block?: number
  readonly days?: number
  readonly openDays?: number
}

function requirePolicyFile(options: CreateOptions): string {
  const path = options.policy ?? storePolicyFile(options.store)
  if (options.policy !== undefined || existsSync(path)) return path
  const detail = `there is no policy: neither --policy nor ${path}`
  throw new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'policy' })
}

function termsOf(options: CreateOptions): Partial<OrderTerms> {
  return {
    ...(options.grant === undefined ? {} : { grantUnits: options.grant }),
    ...(options.block === undefined ? {} : { blockMax: options.block }),
    ...(options.days === undefined ? {} : { validForDays: options.days }),
  }
}

export function addLicense(context: CliContext, program: Command): void {
  const license = program.command('license').description('what customers may have')
  addCreate(context, license)
  addList(context, license)
}

function addCreate(context: CliContext, license: Command): void {
  const { style } = context
  addStoreCommand(context, license, {
    name: 'create',
    about: 'order queries of a capsule for a customer; activations consume the order',
    examples: [
      'license create --capsule model.capsule --customer customer.jwk --queries 1000',
      'license create --capsule model.capsule --customer customer.jwk --queries 1000 --grant 100 --days 30',
    ],
  })
    .requiredOption('--capsule <file|id>', 'the capsule')
    .requiredOption('--customer <file|key>', "the customer's public key: a JSON Web Key, or its x")
    .requiredOption('--queries <count>', 'queries in all', integerOption(1, 2 ** 40))
    .option('--policy <file>', 'which enclaves may have the key (default: policy.json of the store)')
    .option(
      '--grant <count>',
      'queries that one activation gets at most (default: all)',
      integerOption(1, 2 ** 40),
    )
    .option('--block <count>', 'queries that a crash can lose at most (default: 100)', integerOption(1, 4096))
    .option('--days <count>', 'days that a license lasts (default: 365)', integerOption(1, 3660))
    .option(
      '--open-days <count>',
      'days in which the order can be activated (default: 30)',
      integerOption(1, 3660),
    )
    .action(async (options: CreateOptions) => {
      const input = {
        capsuleId: await readCapsuleId(options.capsule),
        customerKey: toBase64Url(await readPublicKey(options.customer)),
        units: options.queries,
        terms: termsOf(options),
        policy: await readPolicyFile(requirePolicyFile(options)),
        ...(options.openDays === undefined ? {} : { openForDays: options.openDays }),
      }
      const order = await withProvider({ storeDir: options.store }, (it) => it.createOrder(input))
      const pairs = [
        ['order', order.orderId],
        ['customer', order.customer],
        ['queries', formatCount(order.units)],
        ['policy', order.policy],
        ['open until', new Date(order.expiresAtMs).toISOString()],
      ] as const
      const lines = [`${style.green('ordered')}\n`, fields(pairs, { indent: '  ', nameStyle: style.dim })]
      if (order.allowUnattested.length > 0) {
        lines.push(`\n${style.yellow('warning')} ${unattestedWarning(order.allowUnattested)}`)
      }
      printReport(context, options, { text: lines.join('\n'), json: order })
    })
}

function addList(context: CliContext, license: Command): void {
  const { style } = context
  addStoreCommand(context, license, {
    name: 'list',
    about: 'orders, what was granted of them, and what was used',
    examples: ['license list', 'license list --json'],
  }).action(async (options: StoreOptions) => {
    const { orders, licenses } = await withProvider({ storeDir: options.store }, async (it) => ({
      orders: await it.listOrders(),
      licenses: await it.listLicenses(),
    }))
    const orderRows = orders.map((it) => [
      it.orderId,
      it.customer.slice(0, 12),
      formatCount(it.units),
      formatCount(it.unitsGranted),
      new Date(it.createdAtMs).toISOString().slice(0, 10),
    ])
    const licenseRows = licenses.map((it) => [
      it.licenseId,
      it.orderId,
      formatCount(it.units),
      formatCount(it.unitsUsed),
      it.tier,
    ])
    const tables = [
      table(orderRows, {
        head: ['order', 'customer', 'queries', 'granted', 'made'],
        align: 'llrrl',
        headStyle: style.dim,
      }),
    ]
    if (licenses.length > 0) {
      const head = ['license', 'order', 'granted', 'reported', 'tier']
      tables.push(table(licenseRows, { head, align: 'llrrl', headStyle: style.dim }))
    }
    const text = orders.length === 0 ? 'There are no orders yet.' : tables.join('\n\n')
    printReport(context, options, { text, json: { orders, licenses } })
  })
}
