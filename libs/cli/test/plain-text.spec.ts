import { cut, safeJson, shown, widthOf, wrapped } from '../src/output/plain-text.js';

describe('a text that is anybody’s', () => {
  test.each([
    ['\u001b[2J\u001b]0;title\u0007', '\\u001b[2J\\u001b]0;title\\u0007'],
    ['C1: \u009b31m', 'C1: \\u009b31m'],
    ['two\nlines\tand\r', 'two\\nlines\\tand\\r'],
    ['left \u202eright', 'left \\u202eright'],
    ['hidden\u200b \u{e0041}', 'hidden\\u200b \\udb40\\udc41'],
    ['Zürich 東京 ✈️', 'Zürich 東京 ✈️'],
  ])('%j is shown, not obeyed', (text, safe) => {
    expect(shown(text)).toBe(safe);
  });

  test('is JSON still, which a terminal does not obey either', () => {
    const value = { key: '\u001b[31m\u009b\u202e\u{e0041}', text: 'two\nlines' };
    const json = safeJson(JSON.stringify(value, undefined, 2));
    expect(json).toMatch(/^[\n -~]*$/);
    expect(JSON.parse(json)).toEqual(value);
  });
});

describe('a text in so many cells', () => {
  test('is cut with an ellipsis, by what it takes on a terminal', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(cut('東京大阪', 5)).toBe('東京…');
    expect(cut('東京大阪', 4)).toBe('東…');
    expect(cut('👨‍👩‍👧‍👦 family', 4)).toBe('👨‍👩‍👧‍👦 …');
    expect(cut('abc', 0)).toBe('');
  });

  test('is broken at spaces, and where there is none, anywhere', () => {
    expect(wrapped('the quick brown fox', 10)).toEqual(['the quick', 'brown fox']);
    expect(wrapped('abcdefghij klm', 4)).toEqual(['abcd', 'efgh', 'ij', 'klm']);
    for (const line of wrapped('東京大阪 名古屋 札幌', 5)) expect(widthOf(line)).toBeLessThanOrEqual(5);
    expect(wrapped('東京大阪 名古屋', 5).join('').replaceAll(' ', '')).toBe('東京大阪名古屋');
  });
});
