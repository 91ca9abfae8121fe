// SPDX-License-Identifier: Apache-2.0
import { ContractError } from '../errors.ts'
import type { Plugin, PluginKind } from '../plugins/plugin.ts'

type KeyOf<P extends Plugin> = `${P['kind']}:${P['name']}`

/** A type that only fits when the plugin is not yet in the registry; its name is what the compiler shows. */
type NotYetUsed<P extends Plugin, Keys extends string> =
  KeyOf<P> extends Keys
    ? { readonly 'a plugin of this kind and name is already in the registry': P['name'] }
    : P

type NamesOf<Used extends Plugin, Kind extends PluginKind> = Extract<Used, { readonly kind: Kind }>['name']

/** One line per plugin, in order of use: what the enclave shows of itself. */
export interface RegistryEntry {
  readonly kind: PluginKind
  readonly name: string
  readonly version: number
}

/** A closed set of plugins. */
export interface Registry<Used extends Plugin = Plugin> {
  /** @throws ContractError `CONTRACT_PLUGIN_UNKNOWN` when the name comes from outside the types */
  get<Kind extends PluginKind, Name extends NamesOf<Used, Kind>>(
    kind: Kind,
    name: Name,
  ): Extract<Used, { readonly kind: Kind; readonly name: Name }>
  /** Looks up a name that came from a file or a message. @throws ContractError `CONTRACT_PLUGIN_UNKNOWN` */
  find<Kind extends PluginKind>(kind: Kind, name: string): Extract<Used, { readonly kind: Kind }>
  list<Kind extends PluginKind>(kind: Kind): readonly Extract<Used, { readonly kind: Kind }>[]
  readonly entries: readonly RegistryEntry[]
}

export interface RegistryBuilder<Used extends Plugin> {
  /**
   * Adds a plugin.
   * @throws ContractError `CONTRACT_PLUGIN_DUPLICATE`, `CONTRACT_PLUGIN_INVALID`, `CONTRACT_REGISTRY_SEALED`
   */
  use<const P extends Plugin>(plugin: P & NotYetUsed<P, KeyOf<Used>>): RegistryBuilder<Used | P>
  /** Closes the set. The builder refuses everything afterward. */
  seal(): Registry<Used>
}

/** As a record, so that the compiler misses none. */
const pluginKinds: Readonly<Record<PluginKind, true>> = {
  'enclave-backend': true,
  'kernel-backend': true,
  attester: true,
  verifier: true,
  'model-importer': true,
  defense: true,
  anchor: true,
  'usage-sink': true,
}

const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/

/** Starts an empty registry. Nothing registers itself by being imported: this is the only way in. */
export function createRegistry(): RegistryBuilder<never> {
  const plugins = new Map<string, Plugin>()
  let sealed = false
  const builder = {
    use(plugin: Plugin) {
      if (sealed) throw new ContractError('CONTRACT_REGISTRY_SEALED', 'the registry is sealed')
      assertPlugin(plugin)
      const key = `${plugin.kind}:${plugin.name}`
      if (plugins.has(key)) {
        throw new ContractError('CONTRACT_PLUGIN_DUPLICATE', `${plugin.kind} ${plugin.name} is already there`)
      }
      plugins.set(key, plugin)
      return builder
    },
    seal() {
      sealed = true
      return sealedRegistry([...plugins.values()])
    },
  }
  return builder as RegistryBuilder<never>
}

function assertPlugin(plugin: Plugin): void {
  if (!Object.hasOwn(pluginKinds, plugin.kind)) {
    const detail = `the kind is none of ${Object.keys(pluginKinds).join(', ')}`
    throw new ContractError('CONTRACT_PLUGIN_INVALID', detail, { field: 'kind' })
  }
  if (typeof plugin.name !== 'string' || !namePattern.test(plugin.name) || plugin.name.length > 64) {
    throw new ContractError('CONTRACT_PLUGIN_INVALID', 'the name is not lower-case words joined by hyphens', {
      field: 'name',
    })
  }
  if (!Number.isSafeInteger(plugin.version) || plugin.version < 1) {
    throw new ContractError(
      'CONTRACT_PLUGIN_INVALID',
      `version of ${plugin.name} is not a positive integer`,
      {
        field: 'version',
      },
    )
  }
}

function sealedRegistry(plugins: readonly Plugin[]): Registry<never> {
  const find = (kind: PluginKind, name: string): Plugin => {
    const found = plugins.find((plugin) => plugin.kind === kind && plugin.name === name)
    if (found !== undefined) return found
    const known = plugins.filter((plugin) => plugin.kind === kind).map((plugin) => plugin.name)
    throw new ContractError(
      'CONTRACT_PLUGIN_UNKNOWN',
      `there is no ${kind} of that name; there are: ${known.join(', ') || 'none'}`,
      { field: kind },
    )
  }
  const registry = {
    get: find,
    find,
    list: (kind: PluginKind) => plugins.filter((plugin) => plugin.kind === kind),
    entries: plugins.map(({ kind, name, version }) => ({ kind, name, version })),
  }
  return Object.freeze(registry) as unknown as Registry<never>
}
