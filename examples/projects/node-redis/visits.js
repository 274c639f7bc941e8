// The visits of each page: a counter in Redis, and a sorted set for the most visited ones.
const { createClient } = require('redis');

async function open() {
  const client = createClient({ url: process.env.REDIS_URL || 'redis://127.0.0.1:6379' });
  await client.connect();
  return {
    visit: (page) => client.zIncrBy('visits', 1, page),
    top: (count) => client.zRangeWithScores('visits', 0, count - 1, { REV: true }),
    clear: () => client.del('visits'),
    close: () => client.quit(),
  };
}

module.exports = { open };
