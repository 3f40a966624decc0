// Runs an ONNX model with ONNX Runtime's CPU provider on given inputs. The peers program calls it.
// usage: node run.mjs FOLDER THREADS SECONDS    (FOLDER holds model.onnx, inputs.json and one .f32
// file per input)
import fs from 'node:fs'
import path from 'node:path'
import ort from 'onnxruntime-node'

const [dir, threads, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const session = await ort.InferenceSession.create(path.join(dir, 'model.onnx'), {
  executionProviders: ['cpu'], graphOptimizationLevel: 'all', intraOpNumThreads: threads, interOpNumThreads: 1,
})
const feeds = {}
for (const [name, dims] of Object.entries(JSON.parse(fs.readFileSync(path.join(dir, 'inputs.json'), 'utf8')))) {
  const b = fs.readFileSync(path.join(dir, name + '.f32'))
  feeds[name] = new ort.Tensor('float32', new Float32Array(b.buffer, b.byteOffset, b.length / 4), dims)
}
const times = []
let out
for (const end = performance.now() + 1000 * seconds; performance.now() < end || times.length < 3;) {
  const t = performance.now()
  out = await session.run(feeds)
  times.push(performance.now() - t)
}
for (const [name, t] of Object.entries(out)) fs.writeFileSync(path.join(dir, name + '.out'), Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength))
times.sort((a, b) => a - b)
console.log(JSON.stringify({ best: times[0], median: times[times.length >> 1], version: ort.env.versions.node ?? '' }))
