const assert = require('node:assert');
const { test } = require('node:test');
const { open } = require('../visits');
const { serve } = require('../server');

test('the most visited page comes first', async () => {
  const visits = await open();
  await visits.clear();
  await visits.visit('/a');
  await visits.visit('/b');
  assert.equal(await visits.visit('/b'), 2);
  assert.deepEqual(await visits.top(1), [{ value: '/b', score: 2 }]);
  await visits.close();
});

test('the server counts', async () => {
  const visits = await open();
  await visits.clear();
  await visits.close();
  const server = await serve(0);
  const url = `http://127.0.0.1:${server.address().port}/shop`;
  await fetch(url);
  const answer = await (await fetch(url)).json();
  assert.deepEqual(answer, { page: '/shop', visits: 2 });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
