// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const kernelErrorTable = defineErrorTable({
  PROGRAM_MALFORMED: {
    kind: 'input',
    meaning: 'The bytes are not a program: wrong magic, sizes that disagree, or a field out of range.',
    remedy: 'Compile the model again; if the program came out of a capsule, the capsule was packed wrongly.',
  },
  PROGRAM_VERSION_UNSUPPORTED: {
    kind: 'input',
    meaning: 'The program was written in a version of the format that this engine does not read.',
    remedy: 'Use an engine of the version that packed the model, or compile the model again.',
  },
  PROGRAM_LIMIT_EXCEEDED: {
    kind: 'input',
    meaning: 'The program has more steps, values, names or bytes than the engine accepts.',
    remedy: 'Compile a smaller model; the message names the limit.',
  },
  PROGRAM_INVALID: {
    kind: 'input',
    meaning: 'The program contradicts itself: an operand, size or layout does not fit its step.',
    remedy: 'Compile the model again; the message names the step and the field.',
  },
  PROGRAM_SYMBOL_INVALID: {
    kind: 'usage',
    meaning: 'A symbolic dimension is not bound, is unknown, or is not a non-negative integer.',
    remedy: 'Give each symbol that the message names a non-negative integer, and no other symbol.',
  },
  PROGRAM_TOO_LARGE: {
    kind: 'environment',
    meaning: 'A tensor, or arena and weights together, need more memory than 32-bit addresses reach.',
    remedy: 'Bind smaller symbolic dimensions (the batch, say) or compile a smaller model.',
  },
  KERNEL_BACKEND_UNAVAILABLE: {
    kind: 'environment',
    meaning: 'This machine cannot run the kernel backend that was asked for.',
    remedy: 'Choose another kernel backend, or install what the message names.',
  },
  KERNEL_THREADS_UNAVAILABLE: {
    kind: 'environment',
    meaning: 'The threads that were asked for cannot be had.',
    remedy: 'Ask for one thread, or provide what the message names.',
  },
  KERNEL_THREAD_LOST: {
    kind: 'environment',
    meaning: 'A thread of the kernels has ended by itself, and an answer may be incomplete.',
    remedy: 'Create new kernels. If it happens again, ask for one thread.',
  },
  KERNEL_OPTION_INVALID: {
    kind: 'usage',
    meaning: 'An option given to a kernel backend or a session is out of range.',
    remedy: 'Give the option the value that the message asks for.',
  },
  KERNEL_MEMORY_TOO_LARGE: {
    kind: 'environment',
    meaning: 'The kernel memory that was asked for cannot be had.',
    remedy: 'Use a smaller model or batch, a machine with more memory, or the native kernel backend.',
  },
  KERNEL_BUDGET_TOO_SMALL: {
    kind: 'environment',
    meaning:
      'The memory budget does not hold what the model needs at once, or what a query of this size needs.',
    remedy: 'Give at least the budget that the message names, or ask with fewer items.',
  },
  KERNEL_PAGE_INVALID: {
    kind: 'input',
    meaning: 'A page of the weights that a query needed was not the one that the capsule was packed with.',
    remedy:
      'Check the capsule file: it was changed, cut short or replaced while it was in use. Then start again.',
  },
  KERNEL_STREAM_INVALID: {
    kind: 'input',
    meaning:
      'A list of fetches leaves the memory or the pages, waits for itself, or has no pages to come from.',
    remedy: 'Attach pages first, and let the engine lay out what is fetched.',
  },
  KERNEL_BUSY: {
    kind: 'usage',
    meaning: 'A session was asked while it was still answering.',
    remedy: 'Wait for the answer before the next query: a session answers one at a time.',
  },
  KERNEL_RECORD_INVALID: {
    kind: 'input',
    meaning: 'A step record would make a kernel leave its memory, or is not a record at all.',
    remedy: 'Compile the model again; the message names the record and the field.',
  },
  KERNEL_HANDLE_INVALID: {
    kind: 'usage',
    meaning: 'A step was run that no loaded list of records has.',
    remedy: 'Use the handle that load() returned, and step indices below its record count.',
  },
  KERNEL_DISPOSED: {
    kind: 'usage',
    meaning: 'Kernels or a session were used after dispose().',
    remedy: 'Create new ones; a disposed instance has wiped its memory.',
  },
  KERNEL_SELF_TEST_FAILED: {
    kind: 'environment',
    meaning: 'The kernels gave a wrong answer to a question with a known one.',
    remedy:
      'Do not use this machine or build; choose another kernel backend and report what the message says.',
  },
  KERNEL_WEIGHTS_SIZE_MISMATCH: {
    kind: 'input',
    meaning: 'The weights do not have the size that the program states.',
    remedy: 'Use the weights that were compiled together with the program.',
  },
  KERNEL_INPUT_MISSING: {
    kind: 'input',
    meaning: 'An input of the model was not given.',
    remedy: 'Give every input that the model lists.',
  },
  KERNEL_INPUT_UNKNOWN: {
    kind: 'input',
    meaning: 'An input was given that the model does not have.',
    remedy: 'Give only the inputs that the model lists.',
  },
  KERNEL_INPUT_DTYPE_MISMATCH: {
    kind: 'input',
    meaning: 'An input has another dtype than the model declares.',
    remedy: 'Convert the input to the dtype that the message names.',
  },
  KERNEL_INPUT_SHAPE_MISMATCH: {
    kind: 'input',
    meaning: 'An input has another shape than the model declares.',
    remedy: 'Reshape or resize the input to the shape that the message names.',
  },
  KERNEL_STATE_INVALID: {
    kind: 'usage',
    meaning: 'A query was to go on from a state that is disposed or belongs to another session.',
    remedy: 'Create a state with the session that runs the query, and begin again.',
  },
  KERNEL_STATE_SHAPE_MISMATCH: {
    kind: 'input',
    meaning: 'A query has another size, such as another batch, than the queries that left its state.',
    remedy: 'Keep to one batch size as long as a state lasts, or begin with a new state.',
  },
  KERNEL_STATE_TOO_LARGE: {
    kind: 'input',
    meaning: 'What a query would leave for the next one is more than its state may hold.',
    remedy: 'Begin with a new state, or keep sequences shorter.',
  },
  KERNEL_VALUE_INVALID: {
    kind: 'input',
    meaning:
      'A number that the model computes with, such as an index or a size, is out of the range that its step allows.',
    remedy: 'Check the inputs: indices, lengths and sizes have to be those that the model was made for.',
  },
  KERNEL_TFJS_CONFLICT: {
    kind: 'usage',
    meaning: 'A backend or a kernel is registered with tfjs under the name that ours needs.',
    remedy:
      'Register the backend once, and nothing else under its name; tf.removeBackend makes room for another one.',
  },
  KERNEL_INPUT_INVALID: {
    kind: 'input',
    meaning: "An input's data does not fit its own dtype and shape.",
    remedy: 'Give the typed array that the dtype calls for, with as many elements as the shape has.',
  },
})

export type KernelErrorCode = keyof typeof kernelErrorTable

export interface KernelErrorOptions extends MlCapsuleErrorOptions {
  readonly stepIndex?: number
}

/** A program that is not one, records or inputs that do not fit, or kernels that cannot run here. */
export class KernelError extends MlCapsuleError<KernelErrorCode> {
  /** Index of the program step or record at fault, where there is one. */
  readonly stepIndex: number | undefined

  constructor(code: KernelErrorCode, detail: string, options: KernelErrorOptions = {}) {
    super(kernelErrorTable, code, detail, options)
    this.stepIndex = options.stepIndex
  }
}
