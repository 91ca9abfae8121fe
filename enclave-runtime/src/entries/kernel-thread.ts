// SPDX-License-Identifier: Apache-2.0
// A thread of the WebAssembly kernels: a file of its own, which an entry starts where a launch asks for threads.
import '@mlcapsule/inference-kernels/threads/main'
