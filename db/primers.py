"""What primes the compressor of stored texts: what every short one repeats.

Part of the format: blobs that were written with a dictionary always need it, so a better one is
another bit of their tag (`db.codec`), never an edit.
"""

from __future__ import annotations

import zstandard

FIRST_PRIMER = (
    '{"id":"chatcmpl-","created":17,"model":"gpt-4o-mini","object":"chat.completion",'
    '"system_fingerprint":"fp_","choices":[{"finish_reason":"stop","index":0,"message":'
    '{"content":"","role":"assistant","tool_calls":null,"function_call":null,'
    '"provider_specific_fields":{"refusal":null},"annotations":[]},"logprobs":null,'
    '"provider_specific_fields":{}}],"usage":{"completion_tokens":1,"prompt_tokens":1,'
    '"total_tokens":1,"completion_tokens_details":{"accepted_prediction_tokens":0,'
    '"audio_tokens":0,"reasoning_tokens":0,"rejected_prediction_tokens":0},'
    '"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0}},"service_tier":"default"}'
    '"reasoning_content":null,"thinking_blocks":null,"finish_reason":"length"'
    "\\n\\n**Action:** I think that we should vote for the player who has been quiet. "
    "I agree with you, but what about the other players? "
    "It is your turn. You are playing the game against the other players. Your role is: "
    "The players are: Available actions: Submit your action in square brackets, for example "
    "[GAME] [Player 0] [Player 1] [Player 2] [Player 3] [Player 4] [Player 5] has been "
    "eliminated. attempted an invalid move. Reason: Please resubmit a valid move and remember "
    "to follow the game rules to avoid penalties.\nPlayer 1 wins! The game is over. "
    "Night phase - choose one player. Day breaks. Discuss for rounds, then a vote will follow. "
    "Voting phase - submit one vote in format [Player X]. Valid: '[0]', '[1]', '[2]', '[3]'\n"
    '[{"role":"system","content":"You are "},{"role":"user","content":'
    '{"$observation":["",""]}},{"role":"assistant","content":""}]'
)
# Answers as they are recorded, and notes as models rewrite them.
SECOND_PRIMER = (
    '{"suspicions": {"0": 0.0, "1": 0.3, "2": 0.45, "3": 0.6, "4": 0.9, "5": 0.01}, '
    '"claims": {"5": "Detective"}, "facts": ["Player 4 was killed during the night."], '
    '"plan": "watch Player 5"}\n119\n'
    '{"id":"chatcmpl-","object":"chat.completion","model":"gpt-","created":17,"choices":[{"text":,'
    '"finish_reason":"length","reasoning_content":"","tool_calls":[]}],"usage":{"prompt_tokens":1,'
    '"completion_tokens":2,"cached_tokens":0,"reasoning_tokens":0}}\n116\n\n'
    '{"id":"chatcmpl-","model":"","created":17,"choices":[{"text":,"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":2,"completion_tokens":1}}\n'
) + FIRST_PRIMER


def dictionary(primer: str) -> zstandard.ZstdCompressionDict:
    """Both sides of the compressor's dictionary."""
    return zstandard.ZstdCompressionDict(
        primer.encode("utf-8"), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
