#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Every task of the repository starts here: `npm run <task>` or `node tools/run.mjs <task>`. It needs Node 20 or newer
// and npm; it brings the Node, the package manager and the packages that the task itself runs with.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { check, lint, typecheck } from './runner/checks.mjs'
import { clean } from './runner/clean.mjs'
import { root, sourceCondition } from './runner/environment.mjs'
import { run } from './runner/exec.mjs'
import { installPeers } from './runner/peers.mjs'
import { setup } from './runner/setup.mjs'
import { test } from './runner/test.mjs'
import { workspacePackages } from './runner/workspace.mjs'

const buildEnclave = { turbo: 'build', args: ['--filter=@mlcapsule/enclave-runtime'] }

/**
 * A task runs its steps in order and stops at the first that fails.
 * `turbo`: a script that packages may have, run in all that have it; `node`: a file of ours; `run`: a function here.
 * Arguments after `--` go to the last step, and it alone writes to standard output.
 */
const tasks = {
  setup: { about: 'install the pinned toolchain and all packages', steps: [] },
  test: { about: 'check and test everything; the last line is the count', steps: [{ run: test }] },
  demo: {
    about: 'build, then run the demonstration',
    steps: [{ turbo: 'build' }, { node: 'examples/demo/main.mjs' }],
  },
  build: { about: 'build every package', steps: [{ turbo: 'build' }] },
  provider: {
    about: "the provider's command line, from source",
    steps: [{ node: 'apps/provider-console/src/cli/main.ts' }],
  },
  client: {
    about: "the client's command line, from source",
    steps: [{ node: 'apps/client-runtime/src/cli/main.ts' }],
  },
  typecheck: { about: 'check the types of everything, from source', steps: [{ run: typecheck }] },
  lint: { about: 'check style, layers and words', steps: [{ run: lint }] },
  format: {
    about: 'write the style that lint asks for',
    steps: [{ node: 'node_modules/@biomejs/biome/bin/biome', args: ['check', '--write', '.'] }],
  },
  check: { about: 'lint, types, and generated files current', steps: [{ run: check }] },
  'enclave:build': { about: 'build the measured program', steps: [buildEnclave] },
  'enclave:measure': {
    about: 'print what the measured program consists of',
    steps: [buildEnclave, { node: 'enclave-runtime/build/measure.mjs' }],
  },
  'kernels:build': {
    about: 'compile the native kernels, and compare the WebAssembly ones with their sources',
    steps: [{ turbo: 'kernels:build' }],
  },
  'kernels:wasm': {
    about: 'write the committed WebAssembly kernels anew, with clang-22 and lld-22',
    steps: [{ node: 'packages/inference-kernels/tools/build-wasm.mjs' }],
  },
  'errors:doc': {
    about: 'write docs/reference/errors.md from the error tables',
    steps: [{ node: 'tools/errors-doc.mjs' }],
  },
  'checklist:doc': {
    about: 'write docs/reference/attack-checklist.md from the names of tests',
    steps: [{ node: 'tools/attack-checklist.mjs' }],
  },
  'policy:schema': {
    about: 'write spec/policy.schema.json from the schemas that policies are read with',
    steps: [{ node: 'apps/provider-console/tools/generate-policy-schema.mjs' }],
  },
  vectors: {
    about: 'write the test vectors anew, byte for byte',
    steps: ['capsule', 'evidence', 'ledger', 'tokens'].map((name) => ({
      node: `vectors/${name}/generate.ts`,
    })),
  },
  'digits:train': {
    about: 'train the example network anew, or work on its files',
    steps: [{ node: 'examples/digits/train/cli.ts' }],
  },
  'tfjs:suite': {
    about: "run tfjs-core's own operator tests on the kernels",
    steps: [
      { node: 'packages/inference-kernels/tools/build-native.mjs' },
      { node: 'packages/inference-kernels/test/tfjs-suite/main.mjs' },
    ],
  },
  'gpt:train': {
    about: 'train the example decoder anew, or export it again',
    steps: [{ node: 'examples/gpt/train/cli.ts' }],
  },
  changeset: {
    about: 'describe a change for the changelogs',
    steps: [{ node: 'node_modules/@changesets/cli/bin.js' }],
  },
  fuzz: {
    about: 'run the long fuzzers of all packages, or of those named',
    steps: [{ turbo: 'build' }, { node: 'tools/fuzz.mjs' }],
  },
  conformance: {
    about: "run ONNX's backend tests, a table per operator; --coverage: which real models are covered",
    steps: [{ turbo: 'kernels:build' }, { node: 'tests/conformance/main.ts' }],
  },
  models: {
    about: 'run real models in an enclave and compare with their stored outputs',
    steps: [buildEnclave, { turbo: 'kernels:build' }, { node: 'tests/models/main.ts' }],
  },
  'attestation:vectors': {
    about: 'verify a folder of attestation vectors and compare verdicts and fields',
    steps: [{ node: 'tests/attestation/main.ts' }],
  },
  'fuzz:graphs': {
    about: 'build random graphs and compare the kernel backends, and peers where they are installed',
    steps: [{ turbo: 'kernels:build' }, { node: 'tests/graphs/main.ts' }],
  },
  'models:all': {
    about: 'the three above in turn: conformance on both backends, coverage, models, 10,000 graphs',
    steps: [
      buildEnclave,
      { turbo: 'kernels:build' },
      { node: 'tests/conformance/main.ts' },
      { node: 'tests/conformance/main.ts', args: ['--coverage'] },
      { node: 'tests/models/main.ts' },
      { node: 'tests/graphs/main.ts', args: ['--count', '10000'] },
    ],
  },
  'peers:install': {
    about: 'install the runtimes of bench/peers, which nothing else needs',
    steps: [{ run: installPeers }],
  },
  bench: {
    about: 'time our engines side by side with those of peers:install',
    steps: [{ turbo: 'kernels:build' }, { node: 'bench/src/main.ts' }],
  },
  'bench:guard': {
    about: 'time an enclave side by side with our engine alone',
    steps: [{ turbo: 'build' }, { turbo: 'kernels:build' }, { node: 'bench/src/guard/main.ts' }],
  },
  'bench:attestation': {
    about: 'time the verification of real evidence of all platforms',
    steps: [{ turbo: 'build' }, { node: 'bench/src/attestation/main.ts' }],
  },
  'bench:ciphers': {
    about: 'time ciphers for capsule pages, in Node and in a browser',
    steps: [{ node: 'bench/page-cipher/src/main.ts' }],
  },
  clean: { about: 'remove what builds and tests have written', steps: [{ run: clean }] },
}

async function runTurbo(script, args, show, { node, env }) {
  if (!workspacePackages().some((it) => it.manifest.scripts?.[script] !== undefined)) {
    throw new Error(
      `no package has a script named ${script} yet: add one to the package.json that should have it`,
    )
  }
  const turbo = join(root, 'node_modules', 'turbo', 'bin', 'turbo')
  const flags = ['--ui=stream', '--output-logs=new-only', `--concurrency=${availableParallelism()}`]
  const result = await run(node, [turbo, 'run', script, ...flags, ...args], { env, show })
  return result.code
}

async function runNode(file, args, show, { node, env }) {
  if (!existsSync(join(root, file))) throw new Error(`${file} is missing: this task has nothing to run`)
  return (await run(node, [sourceCondition, join(root, file), ...args], { env, show })).code
}

async function runStep(step, args, show, tools) {
  if (step.run !== undefined) return step.run(tools, args)
  const all = [...(step.args ?? []), ...args]
  return step.turbo === undefined
    ? runNode(step.node, all, show, tools)
    : runTurbo(step.turbo, all, show, tools)
}

function usage() {
  const width = Math.max(...Object.keys(tasks).map((name) => name.length))
  const lines = Object.entries(tasks).map(([name, task]) => `  ${name.padEnd(width)}  ${task.about}`)
  return ['usage: npm run <task> [-- arguments]', '', ...lines, ''].join('\n')
}

async function main([name, ...rest]) {
  const task = Object.hasOwn(tasks, name ?? '') ? tasks[name] : undefined
  if (task === undefined) {
    if (name !== undefined) process.stderr.write(`unknown task: ${name}\n\n`)
    process.stderr.write(usage())
    return 2
  }
  const args = rest[0] === '--' ? rest.slice(1) : rest
  const tools = await setup()
  if (name === 'setup') process.stdout.write(`setup: ready, with Node ${tools.env.MLCAPSULE_NODE_VERSION}\n`)
  for (const [index, step] of task.steps.entries()) {
    const isLast = index === task.steps.length - 1
    const code = await runStep(step, isLast ? args : [], isLast ? 'all' : 'as-errors', tools)
    if (code !== 0) return code
  }
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`)
  process.exitCode = 1
}
