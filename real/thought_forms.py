"""How the families of open models write down what they think, with what must be read of it.

`{t}` stands for a thought and `{s}` for what is said. The forms are those of the models' chat
templates, and of what servers leave of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "DeepSeek R1, Qwen3, QwQ, GLM-4.5, SmolLM3, Nemotron, MiniMax M2, Olmo 3": (
            "<think>\n{t}\n</think>\n\n{s}"
        ),
        "R1 and Qwen3-Thinking, whose template opens the thought": "{t}\n</think>\n\n{s}",
        "Nemotron Nano without a thought": "<think></think>{t}\n</think>\n\n{s}",
        "Claude prompts": "<thinking>{t}</thinking>\n{s}",
        "EXAONE": "<thought>\n{t}\n</thought>\n\n{s}",
        "Marco-o1": "<Thought>\n{t}\n</Thought>\n<Output>\n{s}\n</Output>",
        "Reflection": "<thinking>{t}<reflection>{t}</reflection></thinking>\n<output>{s}</output>",
        "reasoning": "<reasoning>{t}</reasoning>{s}",
        "LLaVA-CoT": "<REASONING> {t} </REASONING>\n<CONCLUSION> {s} </CONCLUSION>",
        "scratchpad": "<scratchpad>{t}</scratchpad>{s}",
        "inner monologue": "<inner_monologue>{t}</inner_monologue>{s}",
        "a name of its own": "<mistral_chain-of-thought>{t}</mistral_chain-of-thought>{s}",
        "Magistral": "[THINK]{t}[/THINK]\n{s}",
        "Magistral, in small letters": "[think]{t}[/think]{s}",
        "Command A Reasoning": (
            "<|START_THINKING|>{t}<|END_THINKING|><|START_RESPONSE|>{s}<|END_RESPONSE|>"
        ),
        "Command A Plus": "{t}<|END_THINKING|><|START_TEXT|>{s}<|END_TEXT|>",
        "gpt-oss": (
            "<|channel|>analysis<|message|>{t}<|end|>"
            "<|start|>assistant<|channel|>final<|message|>{s}<|return|>"
        ),
        "gpt-oss, a tool in between": (
            "<|channel|>analysis<|message|>{t}<|end|>"
            "<|start|>assistant<|channel|>commentary to=functions.vote <|constrain|>json"
            "<|message|>{}<|call|>"
            "<|start|>assistant<|channel|>final<|message|>{s}"
        ),
        "gpt-oss, twice": (
            "<|channel|>analysis<|message|>{t}<|end|><|channel|>analysis<|message|>{t}<|end|>"
            "<|start|>assistant<|channel|>final<|message|>{s}"
        ),
        "gpt-oss without its first token": (
            "analysis<|message|>{t}<|end|><|start|>assistant<|channel|>final<|message|>{s}"
        ),
        "gpt-oss without its first message's head": (
            "{t}<|end|><|start|>assistant<|channel|>final<|message|>{s}"
        ),
        "gpt-oss, a constrained answer": "<|channel|>final <|constrain|>json<|message|>{s}",
        "gpt-oss, special tokens stripped": "analysis{t}assistantfinal{s}",
        "gpt-oss, a commentary alone": (
            "<|channel|>analysis<|message|>{t}<|end|>"
            "<|start|>assistant<|channel|>commentary<|message|>{s}<|end|>"
        ),
        "Seed-OSS": (
            ""
            "<seed:think>{t}<seed:cot_budget_reflect>{t}</seed:cot_budget_reflect>{t}</seed:think>"
            "{s}"
        ),
        "MiniMax M3": "<mm:think>{t}</mm:think>{s}",
        "MiniMax M3 without a thought": "</mm:think>{s}",
        "Kimi-VL": "◁think▷{t}◁/think▷{s}",
        "Kimi K3": (
            "<|open|>think<|sep|>{t}<|close|>think<|sep|><|open|>response<|sep|>{s}"
            "<|close|>response<|sep|>"
        ),
        "OpenThinker, Sky-T1": (
            "<|begin_of_thought|>\n\n{t}\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n"
            "{s}\n\n<|end_of_solution|>"
        ),
        "Granite 3.2": "Here is my thought process:\n{t}\n\nHere is my response:\n{s}",
        "Granite 3.2, quantized": "Here's my thought process:\n{t}\n\nHere's my response:\n{s}",
        "Granite 3.3, ERNIE": "<think>{t}</think>\n<response>\n{s}\n</response>",
        "Apertus": "<|inner_prefix|>{t}<|inner_suffix|>{s}",
        "Gemma 4": "<|channel>thought\n{t}\n<channel|>{s}",
        "Gemma 4, from its prompt": "{t}\n<channel|>{s}",
        "MedGemma": "<unused94>thought\n{t}<unused95>{s}",
        "Pangu": "[unused16]{t}[unused17]{s}",
        "LongCat": "<longcat_think>{t}</longcat_think>{s}",
        "Apriel": (
            "Here are my reasoning steps:\n{t}\n[BEGIN FINAL RESPONSE]\n"
            "{s}\n[END FINAL RESPONSE]\n<|end|>"
        ),
        "Hunyuan": "<think>\n{t}\n</think>\n<answer>\n{s}\n</answer>",
        "GLM-4.1V": "<think>{t}</think><answer><|begin_of_box|>{s}<|end_of_box|></answer>",
        "s1": "<|im_start|>think\n{t}\n<|im_start|>answer\n{s}",
        "HyperCLOVA": "/think\n{t}<|im_end|>\n<|im_start|>assistant\n{s}",
        "Inkling": (
            "<|message_model|><|content_thinking|>{t}<|end_message|>"
            "<|message_model|><|content_text|>{s}<|end_message|><|content_model_end_sampling|>"
        ),
        "recipients": (
            "<|start|>assistant to=self<|message|>{t}<|eom|>"
            "<|start|>assistant to=user<|message|>{s}<|eot|>"
        ),
        "a bar and a slash": "<|thinking|>{t}<|/thinking|>{s}",
        "a bar at full width": "<｜think｜>{t}<｜/think｜>{s}",
        "start behind the name": "<|think_start|>{t}<|think_end|>{s}",
        "attributes": '<think budget="512" id=1>{t}</think>{s}',
        "capitals": "<THINK>{t}</THINK>{s}",
        "escaped": "&lt;think&gt;{t}&lt;/think&gt;{s}",
        "doubled": "<<think>>{t}<</think>>{s}",
        "opened by one name, closed by another": "<think>{t}</thinking>{s}",
        "nested": "<think>{t}<think>{t}</think>{t}</think>{s}",
        "opened twice": "<think>{t}<think>{t}</think>{s}",
        "closed twice": "<think>{t}</think>{t}</think>{s}",
        "many": "<think>{t}</think><think>{t}</think>{s}",
        "code in a thought": "<think>\n```\n{t}\n```\n</think>\n{s}",
        "a fence left open in a thought": "<think>\n```\n{t}\n</think>\n{s}",
        "its own marker named in a thought": (
            "<think>{t} I must not write `</think>` too early. {t}</think>{s}"
        ),
        "an empty tag": "<think/>{s}",
    }
)

# Cut by the end of the answer's tokens: what is said is what stands before the thought.
CUT: Mapping[str, str] = MappingProxyType(
    {
        "DeepSeek R1": "<think>\n{t}",
        "Seed-OSS": "<seed:think>{t}<seed:cot_budget_reflect>",
        "Magistral": "[THINK]{t}",
        "Command A Reasoning": "<|START_THINKING|>{t}",
        "gpt-oss": "<|channel|>analysis<|message|>{t}",
        "gpt-oss, special tokens stripped": "analysis{t}",
        "Kimi-VL": "◁think▷{t}",
        "Kimi K3": "<|open|>think<|sep|>{t}",
        "OpenThinker": "<|begin_of_thought|>\n\n{t}",
        "Apertus": "<|inner_prefix|>{t}",
        "Gemma 4": "<|channel>thought\n{t}",
        "MedGemma": "<unused94>thought\n{t}",
        "LongCat": "<longcat_think>{t}",
        "s1": "<|im_start|>think\n{t}",
        "Inkling": "<|message_model|><|content_thinking|>{t}",
        "after a closed one": "<think>{t}</think><think>{t}",
        "a reflection left open inside": "<thinking>{t}<reflection>{t}",
    }
)

# Speech that only mentions a marker: all of it is said.
MENTIONS: tuple[str, ...] = (
    "I think <think> tags are silly.",
    "I think <think> is a silly word.",
    "<think> tags are silly, Bob.",
    "Bob, why do you write </think> all the time?",
    "</think> is a strange token, Bob.",
    "<reasons> to vote [3]",
    "Bob's message ended with </think>",
    "Bob's message ended with </think>.",
    "People who use <think> and </think> are bots.",
    "Everything between <thinking> and </thinking> was odd, I vote [3].",
    "Between the <think> … </think> tags stood nothing.",
    'He wrote "<think>vote 2</think>" yesterday. [3]',
    "He wrote `<think>vote 2</think>` yesterday. [3]",
    "A quoted `[THINK]` in code, and [3].",
    "The word [THINK] is odd, [3].",
    "I guess the word is [reason], or [thought].",
    "You forgot your [/THINK], Bob.",
    "Look at this:\n```\n<think>vote 2</think>\n```\nBob wrote it. [3]",
    "Look at this:\n```\n<think>\n```\nBob wrote it. [3]",
    "The token <|START_THINKING|> leaked again, [3].",
    "What does (<think>) mean?",
    "My analysis: player 3 lies.",
    "Analysis of the votes says [3].",
    "Here is my response: I vote [3].",
    "Here is my reasoning: player 3 lies. I vote [3].",
    "I'd reason that 3 < 4 and 5 > 2, </b> or not.",
    "<thinking about it> I vote [3]",
    "Use <reasoning> not <think>, Bob. [3]",
)
