// A code to scan, ISO/IEC 18004: one size (version 2, 25 modules), one level (M: an eighth of it may
// be unreadable), bytes. It holds 26 characters, and what a kiosk shows has 15 or 17.

export const SIZE = 25;
const DATA = 28;
const CHECKS = 16;
const CHARACTERS_MAX = 26;
/** Level M, as the format's two bits have it. */
const LEVEL = 0b00;

type Modules = boolean[][];

/** The modules of a text, row by row, true: dark. `mask` left out: the one that is best to read.
 * Throws RangeError for what does not fit. */
export function modulesOf(text: string, mask?: number): Modules {
  const bits = bitsOf(codewords(text));
  const drawn = (one: number) => draw(bits, one);
  if (mask !== undefined) return drawn(mask);
  const all = [0, 1, 2, 3, 4, 5, 6, 7].map(drawn);
  const penalties = all.map(penalty);
  return all[penalties.indexOf(Math.min(...penalties))]!;
}

/** The same as the path of an SVG whose unit is a module. */
export function pathOf(modules: Modules): string {
  return modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
}

// --- the bytes ------------------------------------------------------------------------------------

/** Mode, length, the text, padding; then the check symbols. */
export function codewords(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  if (bytes.length > CHARACTERS_MAX) throw new RangeError(`${bytes.length} bytes do not fit into a code of ${CHARACTERS_MAX}`);
  const halves = [0b0100, bytes.length >> 4, bytes.length & 15, ...bytes.flatMap((one) => [one >> 4, one & 15]), 0];
  const data: number[] = [];
  for (let at = 0; at < halves.length; at += 2) data.push((halves[at]! << 4) | (halves[at + 1] ?? 0));
  for (let turn = 0; data.length < DATA; turn += 1) data.push(turn % 2 ? 0x11 : 0xec);
  return [...data, ...checks(data, CHECKS)];
}

const EXP: number[] = [];
const LOG: number[] = [];
for (let power = 0, value = 1; power < 255; power += 1) {
  EXP[power] = value;
  LOG[value] = power;
  value = value << 1 > 255 ? (value << 1) ^ 0x11d : value << 1;
}
const times = (a: number, b: number) => (a && b ? EXP[(LOG[a]! + LOG[b]!) % 255]! : 0);

/** Reed–Solomon: the rest of the data by the generator with the roots 2^0 … 2^(count-1). */
export function checks(data: readonly number[], count: number): number[] {
  let generator = [1];
  for (let root = 0; root < count; root += 1) {
    generator = [...generator, 0].map((one, at) => one ^ times(at ? generator[at - 1]! : 0, EXP[root]!));
  }
  const rest = [...data, ...Array<number>(count).fill(0)];
  for (let at = 0; at < data.length; at += 1) {
    const factor = rest[at]!;
    generator.forEach((one, offset) => (rest[at + offset]! ^= times(one, factor)));
  }
  return rest.slice(data.length);
}

const bitsOf = (words: readonly number[]) => words.flatMap((one) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => ((one >> bit) & 1) === 1));

// --- the picture ----------------------------------------------------------------------------------

const MASKS: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function draw(bits: readonly boolean[], mask: number): Modules {
  const modules: (boolean | undefined)[][] = Array.from({ length: SIZE }, () => Array<boolean | undefined>(SIZE).fill(undefined));
  const put = (x: number, y: number, dark: boolean) => {
    if (x >= 0 && x < SIZE && y >= 0 && y < SIZE) modules[y]![x] = dark;
  };
  // Rings around a centre: the three corners with their white border, and the small one.
  const rings = (cx: number, cy: number, reach: number, dark: number[]) => {
    for (let y = -reach; y <= reach; y += 1) {
      for (let x = -reach; x <= reach; x += 1) put(cx + x, cy + y, dark.includes(Math.max(Math.abs(x), Math.abs(y))));
    }
  };
  for (let at = 8; at < SIZE - 8; at += 1) {
    put(at, 6, at % 2 === 0);
    put(6, at, at % 2 === 0);
  }
  rings(3, 3, 4, [0, 1, 3]);
  rings(SIZE - 4, 3, 4, [0, 1, 3]);
  rings(3, SIZE - 4, 4, [0, 1, 3]);
  rings(SIZE - 7, SIZE - 7, 2, [0, 2]);
  drawFormat(put, mask);
  let next = 0;
  for (let right = SIZE - 1; right > 0; right -= 2) {
    if (right === 6) right = 5; // the column of the timing pattern
    const upwards = ((right + 1) & 2) === 0;
    for (let step = 0; step < SIZE; step += 1) {
      const y = upwards ? SIZE - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (modules[y]![x] !== undefined) continue;
        modules[y]![x] = (bits[next] ?? false) !== MASKS[mask]!(x, y);
        next += 1;
      }
    }
  }
  return modules as Modules;
}

/** Level and mask as 15 bits, with their own checks, so that they are not all light. */
export function formatOf(mask: number): number {
  const data = (LEVEL << 3) | mask;
  let rest = data << 10;
  for (let bit = 14; bit >= 10; bit -= 1) if ((rest >> bit) & 1) rest ^= 0x537 << (bit - 10);
  return ((data << 10) | rest) ^ 0x5412;
}

function drawFormat(put: (x: number, y: number, dark: boolean) => void, mask: number): void {
  const format = formatOf(mask);
  for (let bit = 0; bit < 15; bit += 1) {
    const dark = ((format >> bit) & 1) === 1;
    if (bit < 8) put(SIZE - 1 - bit, 8, dark);
    else put(8, SIZE - 15 + bit, dark);
    if (bit < 6) put(8, bit, dark);
    else if (bit < 8) put(8, bit + 1, dark);
    else put(bit === 8 ? 7 : 14 - bit, 8, dark);
  }
  put(8, SIZE - 8, true);
}

// --- which mask is best to read -------------------------------------------------------------------

const LIKE_A_CORNER = ["10111010000", "00001011101"];

/** The standard's four complaints: runs, blocks, what looks like a corner, too much of one shade. */
function penalty(modules: Modules): number {
  const lines = [...modules, ...modules.map((_, x) => modules.map((row) => row[x]!))].map((line) => line.map(Number).join(""));
  let found = 0;
  for (const line of lines) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) found += run.length - 2;
    for (let at = 0; at + 11 <= SIZE; at += 1) if (LIKE_A_CORNER.includes(line.slice(at, at + 11))) found += 40;
  }
  for (let y = 1; y < SIZE; y += 1) {
    for (let x = 1; x < SIZE; x += 1) {
      const dark = modules[y]![x];
      if (dark === modules[y - 1]![x] && dark === modules[y]![x - 1] && dark === modules[y - 1]![x - 1]) found += 3;
    }
  }
  const share = (modules.flat().filter(Boolean).length * 100) / (SIZE * SIZE);
  return found + Math.floor(Math.abs(share - 50) / 5) * 10;
}
