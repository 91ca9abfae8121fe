// SPDX-License-Identifier: Apache-2.0

const l0 = ['contracts']
const l1 = ['crypto', 'inference-kernels', 'defense-plugins']
const l2 = ['capsule-format', 'attestation', 'metering']
const libraries = [...l0, ...l1, ...l2, 'model-graph', 'enclave-bridge', 'terminal']
const apps = ['client-runtime', 'provider-console']

/**
 * What each folder may import from the workspace. `name` allows the package whole, `name/sub` that subpath alone and
 * `name/.` its root alone. A folder that is not here may import nothing.
 */
export const allowedImports = {
  'packages/contracts': [],
  'packages/crypto': l0,
  'packages/inference-kernels': l0,
  'packages/defense-plugins': l0,
  'packages/terminal': l0,
  'packages/model-graph': [...l0, 'inference-kernels'],
  'packages/capsule-format': [...l0, ...l1],
  'packages/attestation': [...l0, ...l1],
  'packages/metering': [...l0, ...l1],
  'packages/enclave-bridge': [...l0, ...l1, ...l2],
  // Of the kernels what runs models; the subpath for tfjs would bring tfjs into the measured program.
  'enclave-runtime': [
    ...l0,
    'crypto',
    'defense-plugins',
    'inference-kernels/.',
    'inference-kernels/program',
    'inference-kernels/native',
    'inference-kernels/threads/main',
    'inference-kernels/threads/node',
    'inference-kernels/threads/web',
    'inference-kernels/wasm',
    ...l2,
    'enclave-bridge',
  ],
  // Neither kernels nor the enclave's side of the door: the client's application runs no model outside the enclave.
  'apps/client-runtime': [
    ...l0,
    'crypto',
    ...l2,
    'terminal',
    'enclave-bridge/.',
    'enclave-bridge/protocol',
    'enclave-bridge/host',
    'enclave-bridge/node',
  ],
  'apps/provider-console': [...l0, ...l1, ...l2, 'model-graph', 'terminal'],
  'examples/*': [...libraries, ...apps],
  // Verifications of real evidence are timed as tests judge them.
  'bench/*': [...libraries, ...apps, 'tests/attestation'],
  tests: [...libraries, ...apps, 'enclave-runtime'],
}

/** Two sides of one package that never import each other, as folders under its src. */
export const separatedSides = { 'packages/enclave-bridge': ['host', 'enclave'] }

/** Subpaths of workspace packages that need Node; kits for tests may. */
export const nodeSubpaths = [
  'node',
  'native',
  'threads/node',
  'sgx/node',
  'tdx/node',
  'sev-snp/node',
  'nitro/node',
  'tpm/node',
  'azure-vtpm/node',
  'cli',
  'testing',
]

const nodeFolders = [
  'packages/crypto/src/testing/',
  'packages/inference-kernels/src/native/',
  'packages/terminal/src/cli/',
  'enclave-runtime/src/entries/',
]

export function isTest(path) {
  return /\.(test|test-d|fuzz|bench)\.ts$/.test(path) || /\/(tests?|testdata|fixtures)\//.test(path)
}

/** Whether a source file must run without Node: all sources of the libraries and of the enclave, but for marked places. */
export function isPortable(path) {
  if (!/^(packages\/[^/]+|enclave-runtime)\/src\//.test(path) || isTest(path)) return false
  if (/\/src\/(.*\/)?node\//.test(path) || path.endsWith('/src/node.ts')) return false
  return !nodeFolders.some((folder) => path.startsWith(folder))
}

/** The table's row for a folder, or undefined. */
export function rowFor(dir) {
  return allowedImports[dir] ?? allowedImports[`${dir.split('/')[0]}/*`]
}
