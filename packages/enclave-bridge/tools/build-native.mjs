// SPDX-License-Identifier: Apache-2.0
// Builds the shared-memory addon into native/build/<platform>-<arch>/. Where it cannot be built, payloads travel through
// the socket instead; one line says so, and the build ends well.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'

const packageRoot = join(import.meta.dirname, '..')
const folder = join(packageRoot, `native/build/${process.platform}-${process.arch}`)

function findCompiler() {
  const candidates = process.env.CC ? [process.env.CC] : ['gcc', 'clang', 'cc']
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

function findHeaders() {
  const folders = [process.env.MLCAPSULE_NODE_HEADERS, join(dirname(process.execPath), '../include/node')]
  return folders.find((it) => it && existsSync(join(it, 'node_api.h')))
}

/** Same source and compiler, same bytes, whatever the folder. */
function build(compiler, headers) {
  mkdirSync(folder, { recursive: true })
  const output = join(folder, 'mlcapsule-shared-memory.node')
  const next = `${output}.${process.pid}`
  const flags = [
    '-std=c11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-fPIC',
    '-fstack-protector-strong',
    '-D_FORTIFY_SOURCE=2',
    '-fvisibility=hidden',
    '-fno-ident',
    `-ffile-prefix-map=${packageRoot}=.`,
    '-isystem',
    headers,
    '-shared',
    '-s',
    '-Wl,--build-id=none',
    '-Wl,-z,relro,-z,now,-z,noexecstack',
  ]
  const result = spawnSync(compiler, [...flags, 'native/shared_memory.c', '-o', next], {
    cwd: packageRoot,
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '0', LC_ALL: 'C' },
  })
  if (result.status !== 0) throw new Error(`${compiler} failed\n${result.stderr ?? ''}`)
  // Renamed into place: a process that has the old file mapped keeps it.
  renameSync(next, output)
  return output
}

const compiler = findCompiler()
const headers = findHeaders()
if (process.platform !== 'linux') {
  console.log('shared memory: only on Linux so far; payloads travel through the socket')
} else if (compiler === undefined) {
  console.log('shared memory: not built, no C compiler here; payloads travel through the socket')
} else if (headers === undefined) {
  console.log('shared memory: not built, node_api.h is not beside this Node; set MLCAPSULE_NODE_HEADERS')
} else {
  console.log(`shared memory: ${build(compiler, headers)}`)
}
