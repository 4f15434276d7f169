// Reads an Iceberg table with icebird, a third reader that shares no code with the other two: icebird.mjs METADATA_FILE prints counts and sums as JSON.
// icebird only knows URLs; here they are local files.
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'

globalThis.fetch = async (url, options) => {
  const path = decodeURIComponent(String(url).replace(/^file:\/*/, '/'))
  const bytes = await readFile(path)
  const range = new Headers(options?.headers).get('Range')?.match(/bytes=(\d+)-(\d*)/)
  const part = range ? bytes.subarray(Number(range[1]), range[2] ? Number(range[2]) + 1 : undefined) : bytes
  return new Response(options?.method === 'HEAD' ? null : part, { status: range ? 206 : 200, headers: { 'Content-Length': String(part.length) } })
}

const { icebergRead } = await import(pathToFileURL('node_modules/icebird/src/index.js')) // in the working folder
const metadata = JSON.parse(await readFile(process.argv[2].replace(/^file:\/*/, '/'), 'utf8'))
const rows = await icebergRead({ tableUrl: metadata.location, metadata })
const total = (value) => rows.reduce((sum, row) => sum + value(row), 0n).toString()
console.log(JSON.stringify({
  rows: rows.length,
  positions: new Set(rows.map((row) => `${row.kafka_partition}:${row.kafka_offset}`)).size,
  userId: total((row) => BigInt(row.user_id)),
  cents: total((row) => BigInt(Math.round(Number(row.amount) * 100))),
  first: Object.keys(rows[0] ?? {}),
}))
