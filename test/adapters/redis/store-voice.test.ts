import assert from 'node:assert/strict';
import { StoreVoice } from '../../../src/adapters/redis/store-voice';
import { recordingLogger } from '../../helpers/temporary';

describe('what the store in Redis says of itself', () => {
  it('counts all that is lost and names every file that has some of it', () => {
    const voice = new StoreVoice(recordingLogger());
    voice.lost(2, 'first');
    voice.lost(3, 'second');
    assert.match(voice.durability().text, /^5 acknowledged events .*; first, second has them/);
    voice.lost(1, null);
    assert.equal(voice.durability().lostEvents, 6);
  });

  it('has one word while it begins anew, and then the last of what it left unsaid', () => {
    const voice = new StoreVoice(recordingLogger());
    const told: string[] = [];
    voice.add((state) => void told.push(state));
    voice.tell('up', '');
    voice.forked('gone');
    voice.tell('connecting', 'again');
    assert.deepEqual(told, ['connecting', 'up', 'down']);
    voice.anew();
    assert.equal(told.at(-1), 'connecting');
  });
});
