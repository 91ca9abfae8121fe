// SPDX-License-Identifier: Apache-2.0
// Writes src/onnx/generated/onnx_pb.ts from proto/onnx.proto. With --check it only compares.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
const target = join(root, 'src/onnx/generated/onnx_pb.ts')

/** The script behind a package's command, to run it with this Node. */
function binOf(packageName, command) {
  const manifestPath = require.resolve(`${packageName}/package.json`)
  return join(dirname(manifestPath), JSON.parse(readFileSync(manifestPath, 'utf8')).bin[command])
}

function generate() {
  const dir = mkdtempSync(join(tmpdir(), 'onnx-proto-'))
  try {
    const template = {
      version: 'v2',
      plugins: [
        {
          local: [process.execPath, binOf('@bufbuild/protoc-gen-es', 'protoc-gen-es')],
          out: dir,
          opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
        },
      ],
    }
    const args = [binOf('@bufbuild/buf', 'buf'), 'generate', 'proto', '--template', JSON.stringify(template)]
    execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    return readFileSync(join(dir, 'onnx_pb.ts'), 'utf8')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const text = generate()
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write('src/onnx/generated/onnx_pb.ts is stale: run node tools/generate-onnx-proto.mjs\n')
    process.exitCode = 1
  }
} else {
  writeFileSync(target, text)
}
