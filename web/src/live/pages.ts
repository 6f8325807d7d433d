// Lists come page by page; who wants all of one asks until there is no next.

export async function everyPage<T>(
  page: (cursor: string | undefined) => Promise<{ items: readonly T[]; next?: string | null }>,
): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  do {
    const part = await page(cursor);
    found.push(...part.items);
    cursor = part.next ?? undefined;
  } while (cursor);
  return found;
}
