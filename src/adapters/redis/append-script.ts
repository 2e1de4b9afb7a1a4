/**
 * Appending to the log in Redis: one script in one slot numbers, tells duplicates and conflicts, seals and writes. Redis
 * does not undo a script that fails half-way, so every key is read before the first is written: a wrong type, a full
 * memory, a read-only server refuse it whole.
 *
 * KEYS log, ids, versions
 * ARGV ids kept · last seq the caller knows · how many later events it takes with the answer ·
 *      seq and seal of the newest event that the caller has seen, or 0 and '' · then of each event: digest of its id, hash of its content, aggregate, expected version or '', body,
 *      aggregate of its link or '', version that the link raises that one to
 * Answer: when that event is not there any more nothing is done, and it is 'lost' last-seq; else last seq before · events after the caller's, as XRANGE has them · then of each event
 *      'a' seq version · 'd' seq same-content (1 or 0) · 'c' version of-the-link (1 or 0)
 */
export const appendScript = `
local log, ids, versions = KEYS[1], KEYS[2], KEYS[3]
local kept, knows, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
local last = newest[1] and tonumber(string.match(newest[1][1], '^%d+')) or 0
local seen = tonumber(ARGV[4])
if seen > 0 then
  local entry = redis.call('XRANGE', log, seen .. '-0', seen .. '-0')[1]
  if not entry or entry[2][6] ~= ARGV[5] then return { 'lost', last } end
end
redis.call('HLEN', ids)
redis.call('HLEN', versions)
local answer = { last, {} }
if most > 0 and last > knows then
  answer[2] = redis.call('XRANGE', log, (knows + 1) .. '-0', '+', 'COUNT', most)
end
for i = 6, #ARGV, 7 do
  local digest, content, aggregate, expected, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local linked, place = ARGV[i + 5], ARGV[i + 6]
  local known = redis.call('HGET', ids, digest)
  local knownSeq, knownContent
  if known then
    knownSeq, knownContent = string.match(known, '^(%d+) (.*)$')
    knownSeq = tonumber(knownSeq)
  end
  if knownSeq and knownSeq > last - kept then
    answer[#answer + 1] = 'd'
    answer[#answer + 1] = knownSeq
    answer[#answer + 1] = knownContent == content and 1 or 0
  else
    local version = tonumber(redis.call('HGET', versions, aggregate) or '0')
    local before = linked ~= '' and tonumber(redis.call('HGET', versions, linked) or '0')
    if expected ~= '' and tonumber(expected) ~= version then
      answer[#answer + 1] = 'c'
      answer[#answer + 1] = version
      answer[#answer + 1] = 0
    elseif before and before ~= tonumber(place) - 1 then
      answer[#answer + 1] = 'c'
      answer[#answer + 1] = before
      answer[#answer + 1] = 1
    else
      last = last + 1
      version = version + 1
      local sum = redis.sha1hex(last .. ' ' .. version .. ' ' .. digest .. ' ' .. body)
      redis.call('XADD', log, last .. '-0', 'k', digest, 'v', version, 's', sum, 'd', body)
      redis.call('HSET', ids, digest, last .. ' ' .. content)
      redis.call('HSET', versions, aggregate, version)
      if before then redis.call('HSET', versions, linked, place) end
      local old = last - kept
      if old > 0 then
        local entry = redis.call('XRANGE', log, old .. '-0', old .. '-0')[1]
        local forgotten = entry and entry[2][2]
        local stored = forgotten and redis.call('HGET', ids, forgotten)
        if stored and string.match(stored, '^%d+') == tostring(old) then redis.call('HDEL', ids, forgotten) end
      end
      answer[#answer + 1] = 'a'
      answer[#answer + 1] = last
      answer[#answer + 1] = version
    end
  end
end
return answer`;
