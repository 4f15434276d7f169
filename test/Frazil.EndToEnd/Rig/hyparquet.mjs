// Reads Parquet files with hyparquet, which shares no code with the other readers: hyparquet.mjs MANIFEST prints what does not agree with it, as JSON.
// MANIFEST is JSON lines, one a file: path, types (a tree each column), rows (each value as one canonical text).
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'

const load = (path) => import(pathToFileURL(`node_modules/${path}`)) // in the working folder
const { parquetMetadata, parquetReadObjects } = await load('hyparquet/src/index.js')
const { compressors } = await load('hyparquet-compressors/src/index.js')

// Times come out as Date, which has milliseconds only: the stored numbers are taken instead.
const asStored = (value) => value
const parsers = {
  timestampFromMilliseconds: asStored, timestampFromMicroseconds: asStored, timestampFromNanoseconds: asStored, dateFromDays: asStored,
}

// Decimals come out as Number, and maps as objects, which keep neither all digits nor the order: without these annotations they do not.
function plainOf(element) {
  const isDecimal = element.converted_type === 'DECIMAL' || element.logical_type?.type === 'DECIMAL'
  const isMap = element.converted_type === 'MAP' || element.logical_type?.type === 'MAP'
  return isDecimal || isMap ? { ...element, converted_type: undefined, logical_type: undefined } : element
}

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const bits = (size, write) => {
  const view = new DataView(new ArrayBuffer(size))
  write(view)
  return hex(new Uint8Array(view.buffer))
}
const pad = (number, digits) => String(number).padStart(digits, '0')

function timeText(micros) {
  const seconds = micros / 1000000n
  return `${pad(seconds / 3600n, 2)}:${pad(seconds / 60n % 60n, 2)}:${pad(seconds % 60n, 2)}.${pad(micros % 1000000n, 6)}`
}

function timestampText(micros) {
  const dayMicros = 86400000000n
  const inDay = (micros % dayMicros + dayMicros) % dayMicros
  return new Date(Number((micros - inDay) / 1000n)).toISOString().slice(0, 11) + timeText(inDay)
}

function decimalText(value, scale) {
  const unscaled = value instanceof Uint8Array ? BigInt.asIntN(value.length * 8, BigInt(`0x${hex(value)}`)) : BigInt(value)
  const digits = pad(unscaled < 0n ? -unscaled : unscaled, scale + 1)
  return (unscaled < 0n ? '-' : '') + (scale ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits)
}

function text(value, type) {
  if (value === null || value === undefined) return 'null'
  switch (type.kind.toLowerCase()) {
    case 'float32': return Number.isNaN(value) ? 'ffc00000' : bits(4, (view) => view.setFloat32(0, value))
    case 'float64': return Number.isNaN(value) ? 'fff8000000000000' : bits(8, (view) => view.setFloat64(0, value))
    case 'decimal128': return decimalText(value, type.scale)
    case 'date32': {
      const [year, month, day] = new Date(value * 86400000).toISOString().slice(0, 10).split('-')
      return `${month}/${day}/${year}`
    }
    case 'time64': return timeText(value)
    case 'timestamp': return timestampText(value)
    case 'timestamptz': return `${timestampText(value)}+00:00`
    case 'binary': case 'fixedbinary': return hex(value).toUpperCase()
    case 'struct': return `{${type.fields.map(({ name, type }) => `${name}:${text(value[name], type)}`).join(',')}}`
    case 'list': return `[${value.map((element) => text(element, type.fields[0].type)).join(',')}]`
    case 'map': return `<${value.key_value.map((pair) => `${pair.key}:${text(pair.value, type.fields[1].type)}`).join(',')}>`
    default: return String(value)
  }
}

async function check({ path, types, rows }) {
  const { buffer, byteOffset, byteLength } = await readFile(path)
  const file = buffer.slice(byteOffset, byteOffset + byteLength)
  const metadata = parquetMetadata(file)
  metadata.schema = metadata.schema.map(plainOf)
  const found = await parquetReadObjects({ file, metadata, compressors, parsers, utf8: false })
  if (found.length !== rows.length) return `${found.length} rows, not ${rows.length}`
  for (const [number, row] of rows.entries()) {
    for (const [column, { name, type }] of types.entries()) {
      const value = text(found[number][name], type)
      if (value.toLowerCase() !== row[column].toLowerCase()) return `row ${number} ${name}: '${value}', not '${row[column]}'`
    }
  }
}

const [wrong, lines] = [[], (await readFile(process.argv[2], 'utf8')).split('\n').filter((line) => line)]
for (const line of lines) {
  const entry = JSON.parse(line)
  const fault = await check(entry).catch((failure) => failure.stack)
  if (fault) wrong.push(`${entry.path}: ${fault}`)
}
console.log(JSON.stringify({ files: lines.length, wrong: wrong.slice(0, 10) }))
