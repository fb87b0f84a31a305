import { expect } from 'chai';
import { startHttpLab, tokenFor, type HttpLab } from '../../../support/http-lab.ts';

const DELHI = {
  type: 'Polygon',
  coordinates: [
    [
      [76.8, 28.4],
      [77.4, 28.4],
      [77.4, 28.9],
      [76.8, 28.4],
    ],
  ],
};

describe('adapters/http directory', () => {
  let lab: HttpLab;
  let admin: string;
  beforeEach(async () => {
    lab = await startHttpLab();
    admin = await tokenFor('admin', 'root');
  });
  afterEach(() => lab.close());

  const put = (path: string, body: unknown) => lab.call('PUT', path, { token: admin, body });
  const get = (path: string) => lab.call('GET', path, { token: admin });
  const remove = (path: string) => lab.call('DELETE', path, { token: admin });

  it('keeps citizens, and never tells their numbers in clear', async () => {
    await put('/v1/zones/north', { name: 'North', polygon: DELHI });
    const body = { phone: '+919811123456', phoneVerified: true, homeZone: 'north', devices: ['phone1'] };
    const stored = await put('/v1/citizens/priya', body);
    expect(stored.status).to.equal(200);
    const expected = {
      id: 'priya',
      phone: '+91******56',
      phoneVerified: true,
      homeZone: 'north',
      silent: false,
      devices: ['phone1'],
    };
    expect(stored.body).to.deep.equal(expected);
    expect((await get('/v1/citizens/priya')).body).to.deep.equal(expected);
    expect((await lab.directory.citizen('priya' as never))?.phone?.reveal()).to.equal('+919811123456');
    expect((await remove('/v1/citizens/priya')).status).to.equal(204);
    expect((await get('/v1/citizens/priya')).code).to.equal('ERR_DIRECTORY_NOT_FOUND');
    expect((await remove('/v1/citizens/priya')).code).to.equal('ERR_DIRECTORY_NOT_FOUND');
    expect(lab.log.lines.join()).not.to.contain('9811123456');
  });

  it('refuses what is no citizen', async () => {
    for (const body of [
      { phone: '9811123456', phoneVerified: true },
      { phone: null },
      { phone: null, phoneVerified: 'yes' },
      { phone: null, phoneVerified: false, devices: ['a-b'] },
      [],
    ])
      expect((await put('/v1/citizens/priya', body)).code).to.equal('ERR_HTTP_VALIDATION');
    expect((await put('/v1/citizens/pri-ya', { phone: null, phoneVerified: false })).status).to.equal(400);
    const nowhere = { phone: null, phoneVerified: false, homeZone: 'atlantis' };
    expect((await put('/v1/citizens/priya', nowhere)).code).to.equal('ERR_DIRECTORY_NOT_FOUND');
  });

  it('keeps operators and pages through them', async () => {
    for (const id of ['a1', 'b2', 'c3']) await put(`/v1/operators/${id}`, { name: `ASI ${id}` });
    await put('/v1/operators/b2', { name: 'ASI b2', dutyPhone: '+911123456789', capacity: 3 });
    expect((await get('/v1/operators/b2')).body).to.deep.equal({
      id: 'b2',
      name: 'ASI b2',
      dutyPhone: '+91******89',
      capacity: 3,
      active: true,
    });
    const first = (await get('/v1/operators?limit=2')).body as { operators: { id: string }[]; next: string };
    expect(first.operators.map(({ id }) => id)).to.deep.equal(['a1', 'b2']);
    const second = (await get(`/v1/operators?limit=2&after=${first.next}`)).body;
    expect(second).to.have.nested.property('operators[0].id', 'c3');
    expect(second).to.have.property('next', null);
    expect((await remove('/v1/operators/a1')).status).to.equal(204);
  });

  it('keeps zones and their rosters', async () => {
    await put('/v1/operators/akram', { name: 'ASI Akram' });
    const zone = { id: 'north', name: 'North', polygon: DELHI };
    expect((await put('/v1/zones/north', { name: 'North', polygon: DELHI })).body).to.deep.equal(zone);
    expect((await get('/v1/zones/north')).body).to.deep.equal(zone);
    const entry = {
      operatorId: 'akram',
      duty: 'operator',
      priority: 0,
      from: null,
      until: '2030-01-01T00:00:00.000Z',
    };
    const roster = { zoneId: 'north', entries: [{ ...entry, pressToAccept: false }] };
    expect((await put('/v1/zones/north/roster', { entries: [entry] })).body).to.deep.equal(roster);
    expect((await get('/v1/zones/north/roster')).body).to.deep.equal(roster);
    expect((await remove('/v1/zones/north')).code).to.equal('ERR_DIRECTORY_IN_USE');
    expect((await get('/v1/zones/south/roster')).code).to.equal('ERR_DIRECTORY_NOT_FOUND');
    expect((await put('/v1/zones/south/roster', { entries: [] })).code).to.equal('ERR_DIRECTORY_NOT_FOUND');
  });

  it('allows one catch-all zone', async () => {
    expect((await put('/v1/zones/rest', { name: 'Rest', polygon: null })).status).to.equal(200);
    expect((await put('/v1/zones/rest2', { name: 'Rest', polygon: null })).code).to.equal(
      'ERR_DIRECTORY_CONFLICT',
    );
  });

  it('refuses what is no zone or roster', async () => {
    const open = [
      [76.8, 28.4],
      [77.4, 28.4],
      [77.4, 28.9],
      [76, 28],
    ];
    for (const coordinates of [
      [],
      [[[0, 0]]],
      [open],
      [
        [
          [0, 0],
          [0, 91],
          [1, 1],
          [0, 0],
        ],
      ],
      [[[0, 0, 0]]],
    ])
      expect(
        (await put('/v1/zones/z', { name: 'Z', polygon: { type: 'Polygon', coordinates } })).code,
      ).to.equal('ERR_HTTP_VALIDATION');
    const backwards = { operatorId: 'a', from: '2030-01-02T00:00:00Z', until: '2030-01-01T00:00:00Z' };
    const answer = await put('/v1/zones/z/roster', { entries: [backwards] });
    expect(answer.body).to.have.nested.property('errors[0].path', 'entries.0.until');
  });

  it('takes a zone of thousands of points, beyond the limit of other bodies', async () => {
    const points = Array.from({ length: 4000 }, (_, index) => [70 + index / 1000, 20]);
    const polygon = { type: 'Polygon', coordinates: [[...points, points[0]]] };
    expect((await put('/v1/zones/long', { name: 'Long', polygon })).status).to.equal(200);
    const large = { name: 'x'.repeat(20_000) };
    expect((await put('/v1/operators/a1', large)).code).to.equal('ERR_HTTP_BODY_TOO_LARGE');
  });

  it('lets a supervisor write the roster of the own zone, and nobody into it who writes', async () => {
    for (const id of ['chief', 'akram']) await put(`/v1/operators/${id}`, { name: id });
    for (const zone of ['north', 'south']) await put(`/v1/zones/${zone}`, { name: zone, polygon: DELHI });
    const akram = { operatorId: 'akram', duty: 'operator' };
    const chief = { operatorId: 'chief', duty: 'supervisor' };
    await put('/v1/zones/north/roster', { entries: [akram, chief] });
    await put('/v1/zones/south/roster', { entries: [akram] });
    const token = await tokenFor('supervisor', 'chief');
    const write = (zone: string, entries: readonly object[]) =>
      lab.call('PUT', `/v1/zones/${zone}/roster`, { token, body: { entries } });
    const foreign = await write('south', [akram, chief]);
    expect([foreign.status, foreign.code]).to.deep.equal([403, 'ERR_DIRECTORY_FOREIGN']);
    expect((await get('/v1/zones/south/roster')).body).to.have.nested.property('entries.length', 1);
    expect((await write('north', [chief])).status).to.equal(200);
    expect((await write('north', [chief, { ...chief, duty: 'operator' }])).code).to.equal(
      'ERR_DIRECTORY_FOREIGN',
    );
    expect((await write('north', [akram])).status, 'he may go').to.equal(200);
    expect((await write('north', [akram, chief])).code, 'and not come back').to.equal(
      'ERR_DIRECTORY_FOREIGN',
    );
    expect((await write('nowhere', [])).code).to.equal('ERR_DIRECTORY_NOT_FOUND');
  });

  it('is closed to citizens, and open to operators only to read zones', async () => {
    await put('/v1/zones/north', { name: 'North', polygon: DELHI });
    const citizen = await tokenFor('citizen', 'priya');
    const operator = await tokenFor('operator', 'akram');
    for (const path of [
      '/v1/citizens/priya',
      '/v1/operators/a1',
      '/v1/zones/north',
      '/v1/zones/north/roster',
    ])
      for (const method of ['GET', 'PUT'])
        expect(
          (await lab.call(method, path, { token: citizen, body: method === 'PUT' ? {} : undefined })).code,
        ).to.equal('ERR_AUTH_ROLE');
    expect((await lab.call('GET', '/v1/zones/north', { token: operator })).status).to.equal(200);
    expect((await lab.call('PUT', '/v1/zones/north', { token: operator, body: {} })).code).to.equal(
      'ERR_AUTH_ROLE',
    );
    expect((await lab.call('GET', '/v1/citizens/priya', { token: operator })).code).to.equal('ERR_AUTH_ROLE');
    expect((await lab.call('GET', '/v1/operators', { token: operator })).code).to.equal('ERR_AUTH_ROLE');
  });
});
