// What a mention asks for.
import { describe, expect, it } from 'vitest';
import { askedOf, parseQuestion } from '../../../../src/sonny/talk/questions.ts';

describe('a mention', () => {
  it.each([
    ['<@UBOT> status', 'status'],
    ['  <@UBOT>: help', 'help'],
    ['<@UBOT|sonny>, show hv hv01', 'show hv hv01'],
    ['<@UBOT>', ''],
    ['<@UBOT>\nstatus', 'status'],
    ['thanks <@UBOT> status', null],
    ['<@UOTHER> status', null],
    ['<@UBOTTLE> status', null],
    ['status', null],
    ['', null],
  ])('%j asks %j', (text, expected) => {
    expect(askedOf('UBOT', text)).toBe(expected);
  });
});

describe('a question', () => {
  const show = (what: 'hv' | 'vm', name: string) => ({ kind: 'show', what, name });
  it.each([
    ['help', { kind: 'help' }],
    ['HELP', { kind: 'help' }],
    ['status', { kind: 'status' }],
    ['status please', { kind: 'status' }],
    ['show hv hv01', show('hv', 'hv01')],
    ['Show  HV   hv01 ', show('hv', 'hv01')],
    ['show hv <http://hv01.example.org|hv01.example.org>', show('hv', 'hv01.example.org')],
    ['show hv <http://hv01.example.org>', show('hv', 'hv01.example.org')],
    ['show vm <https://web.example.org/|web.example.org>', show('vm', 'web.example.org')],
    ['show vm 0ae1f7a4-4b4f-4a55-8b43-3e8a36a9ed0f', show('vm', '0ae1f7a4-4b4f-4a55-8b43-3e8a36a9ed0f')],
    ['show vm my web server', show('vm', 'my web server')],
    ['show vm `web 1`', show('vm', 'web 1')],
    ['show vm “web 1”', show('vm', 'web 1')],
    ['show vm a&amp;b &lt;c&gt;', show('vm', 'a&b <c>')],
    ['show hv two words', { kind: 'show-usage' }],
    ['show', { kind: 'show-usage' }],
    ['show vm', { kind: 'show-usage' }],
    ['show hv ``', show('hv', '``')],
    ['show disk d1', { kind: 'show-usage' }],
    ['', { kind: 'unclear' }],
    ['reboot everything', { kind: 'unclear' }],
  ])('%j', (words, expected) => {
    expect(parseQuestion(words)).toEqual(expected);
  });
});
