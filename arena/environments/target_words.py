"""The words with which players choose a player, rule one out, or only speak of one.

The patterns are of texts in small letters, as `targets` makes them.
"""

from __future__ import annotations

import re

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
)
WORDS = {word: number for number, word in enumerate(_NUMBERS.split())}
NUMBER = rf"(?:\d{{1,3}}|{_NUMBERS.replace(' ', '|')})"
# `one` is mostly no number.
_NUMBER_WORD = "|".join(_NUMBERS.split()[2:])

_CHOOSING = (
    r"vot(?:e|es|ing)|eliminat(?:e|es|ing|ion)|choos(?:e|es|ing)|choice|pick|picks|picking|select"
    r"|selects|selecting|selection|lynch|lynching|execute|executing|exile|banish|hang|remove"
    r"|removing|kick|kicking|target|targeting|targets|kill|killing|attack|attacking|murder"
    r"|take out|protect|protecting|save|saving|guard|guarding|heal|healing|watch over|watching over"
    r"|shield|investigate|investigating|check|checking|inspect|inspecting|examine|look at|look into"
    r"|accuse|accusing|nominate|nominating|decided|get rid of|getting rid of|take(?! it)|taking"
    r"|(?:propose|suggest|recommend)(?! that)|lock(?:ed|ing)? in|put me down|points? at|pointing at"
    r"|go|going|went|answer|decision|decide|action|move|response|verdict|mind|player_id|final"
    r"|stimme|wähle|voto|votar|elijo|choisis|escolho"
)
_FILLER = (
    r"a|again|against|as|at|be|cast|for|goes|has to be|in|is|it|must be|my|now|number|of|off"
    r"|on|our|out|remains|should be|still|stays|that|the|this|to|today|tonight|will be|with"
    r"|für|pour|por|per|contra|le|la|el|il|den|die|al|no|na|o"
)
_UNTIL_HERE = rf"(?:\W{{1,4}}(?:{_CHOOSING}|{_FILLER})\b){{0,6}}\W{{0,12}}$"

# Before a player who is chosen, and after one.
SAYS = re.compile(
    rf"(?:^|\W)(?:{_CHOOSING}|it (?:is|has to be|must be|should be|will be)|it's)\b{_UNTIL_HERE}"
    r"|\b(?:switch|chang|mov)\w*\b.{0,40}\bto\W{0,4}$"
    r"|(?<![不别])(?:投|选|選)(?:票|择|擇)?(?:给|給)?\s*$"
)
_ENDED = r"(?:eliminated|voted (?:out|off)|lynched|executed|killed|removed|kicked|hanged)"
SAYS_AFTER = re.compile(
    r"\W{0,4}(?:(?:it )?(?:is|has to be|will be|gets|has|must) (?:it\b|my (?:final )?"
    r"(?:vote|choice|pick|answer|target|decision)|the one|to go|be eliminated|eliminated|go\b)"
    r"|it is\b|for (?:elimination|the vote)"
    r"|(?:is|seems) (?:the most (?:likely|suspicious)|(?:my|the) (?:main|top|prime) suspect)\b"
    rf"|(?:should|must|has to|needs to|ought to) (?:go|leave|die|hang|be (?:{_ENDED}|our vote))\b)"
)
# What counts where others are chosen in weaker words, and what where nothing clearer is said.
VOTES = re.compile(
    rf"\b(?:vot(?:e|ing)|final|my (?:choice|pick|answer|decision|target|action))\b{_UNTIL_HERE}"
)
LEANS = re.compile(
    r"\b(?:lean(?:ing)?|towards?|suspicion|suspect(?:ing)?|suspicious of|falls on|gut says"
    rf"|gut feeling|guess)\b{_UNTIL_HERE}"
)
WANTS = re.compile(r"\b(?:want(?: to see)?|(?:like|love) to see)\W{1,4}$")
GONE = re.compile(rf"\W{{1,4}}(?:to be )?(?:gone|out|dead|{_ENDED})\b")

# Who speaks, and of whom.
SELF = r"i|i'm|i'll|i'd|i've|my|we|we're|we'll|let|let's|our"
_OTHERS = (
    r"player|he|she|they|who|whoever|someone|somebody|others?|people|mafia|doctor|detective|nobody"
    r"|no one|none|anyone|anybody"
)
SUBJECT = re.compile(
    rf"\b(?:(?P<me>{SELF})|(?:player|p)\W{{0,2}}(?P<player>\d+)|(?P<all>you|everyone|everybody|all"
    rf"|town|village|villagers)|(?:{_OTHERS}))\b|\[\s*\d+\s*\]"
)
# Not who chooses, but beside whom, after whom or at whose word.
BESIDE = re.compile(
    r"\b(?:with|like|unlike|as|what|how|after|before|to|from|by|of|than|following|follow|because of"
    r"|thanks to|trust|believe|join|joining|support|supporting|second)\W{1,3}$"
)
VOTES_BESIDE = re.compile(
    r"\bvot(?:e|es|ing)\W{1,3}(?:(?:together|along) )?(?:with|like|as|alongside|after|before"
    r"|the same (?:way )?as)\W{1,3}$"
)
URGES = re.compile(r"\W*(?:(?:please|should|must|needs? to|has to|have to|let us)\W*)?")
URGED = re.compile(r"\W?(?:vote|eliminate|choose|pick|kill|lynch|target|hang|execute|get rid)\b")
MERELY = re.compile(
    r"\b(?:was|were|almost|nearly|wanted|tempted|could|might|may|have|had|consider\w*|thinking"
    r"|thought|whether|should i|if)\b"
)
# A list of what others did: "Votes: Player 1 ...".
LISTS_VOTES = re.compile(r"\W*votes\W*:")
OTHER_TIME = re.compile(
    r"\b(?:tomorrow|yesterday|next|last (?:night|time|round)|previously|earlier|later|otherwise)\b"
)
CONDITION = re.compile(r"\W*(?:(?:and|but|so|or)\W+)?(?:if|unless|in case|otherwise)\b")
NEEDED = re.compile(r"\b(?:have|had) to\b")
REPORTED = re.compile(r"\b(?:said|says|saying|told|tells|wrote|asks|asked|suggest\w*|claims?)\W*$")
IN_THE_FIRST_PERSON = re.compile(rf"(?:{SELF})\b")

# What rules a player out, before it and after it.
CONTRASTED = re.compile(
    rf"(?:\bnot\b|n't\b)[^.!?\n]*\bbut(?:\W{{1,3}}(?:rather|{_CHOOSING}|{_FILLER}))*\W{{0,4}}$"
)
DOUBLY = re.compile(
    r"(?:\b(?:not|never)|n't) (?:hesitate|fail|forget|regret)\b|\bcan(?:not|'t) (?:wait|help but)\b"
    r"|\bno (?:doubt|question|(?:other )?(?:choice|option|alternative) but)\b|\bnot (?:only|just)\b"
    r"|\bwhy not\b|\bwithout (?:a |any |further )?(?:doubt|hesitation|question|ado)\b"
)
AGAINST = re.compile(
    rf"\b(?:not|never|nor|neither|no|except|besides|excluding|instead of|rather than|than"
    rf"|(?<!watch )(?<!watching )(?<!look )over"
    rf"|other than|(?:any|every)(?:one|body) but|all but|versus|vs|second(?: choice)?"
    rf"|nicht|não|non|niet)\b"
    rf"(?:\W{{1,3}}(?:{_CHOOSING}|{_FILLER}))*[^\w,]{{0,4}}$"
    rf"|(?:n't|\bnot|\bnever|\bcannot|\brefuse to|\bwithout|\bhardly)(?:\W{{1,3}}[a-z']+){{0,3}}?"
    rf"\W{{1,3}}(?:{_CHOOSING})\b(?:\W{{1,3}}(?:{_CHOOSING}|{_FILLER})\b){{0,5}}\W{{0,4}}$"
    r"|\b(?:switch|chang|mov)\w*\b.{0,20}\bfrom\W{0,4}$"
)
DISMISSES = re.compile(
    r"\b(?:mistake|wrong|foolish|stupid|silly|risky|pointless|bad idea"
    r"|no (?:sense|reason|point|need)|hesitate|hesitant|reluctant|unwilling|less inclined"
    r"|refrain from|avoid|stop|against|opposed to|object to|no longer|nobody|no one|who would"
    r"|why(?: would| should)?)\b"
    rf"(?: [a-z']+){{0,3}}? (?:{_CHOOSING})\b{_UNTIL_HERE}"
    r"|\b(?:un-?vot(?:e|ing)|(?:retract|withdraw|cancel|take back|taking back|revoke|remove)"
    r"(?:ing)? (?:my|the) vote)(?: [a-z]+){0,2}\W{1,4}$"
)
SPARES = re.compile(
    r"(?P<neg>(?:n't|\bnot|\bnever|\bno)\W{1,3}(?:[a-z']+\W{1,3}){0,2})?\b(?:save|saving|protect"
    r"|protecting|spare|sparing|keep|keeping|shield|guard|guarding|heal|healing|defend|defending"
    r"|trust|trusting)(?: (?:in|on|the))?\W{1,4}$"
)
AGAINST_AFTER = re.compile(
    r"\W{0,3}(?:is|does|will|should|must|gets?)(?: not|n't)\W+(?:\w+\W+){0,2}?"
    r"(?:my|vote|choice|pick|the one)\b|\W{0,3}won't\W+(?:\w+\W+){0,2}?(?:my|vote)\b"
    r"|\W{0,3}\?\W{0,4}(?:no|nope|never|nah|absolutely not|of course not)\b"
)
# "Voting for Player 1 is a mistake."
VOTING = re.compile(
    r"\W*(?:a vote|to vote|voting|eliminating|lynching|killing|choosing|picking)"
    r"(?: (?:for|out|against|on))?\W*"
)
IS_BAD = re.compile(
    r"\W{1,4}(?:is|was|would|will|could|helps?|makes?|seems?|only|does)\b.{0,24}?(?:\b(?:not|no|wrong"
    r"|mistake|foolish|stupid|silly|bad|risky|waste|pointless|premature|dangerous|mafia)\b|n't\b)"
    r"|\W{1,4}\w+n't\b"
)
ABSTAINS = re.compile(
    r"\bi(?:'ll|'d rather| will| must| would rather| choose to| have to| want to|'m going to"
    r"| am going to| decide to)? (?:abstain|(?:vote for|choose) (?:nobody|no one))\b"
)

# What makes a text one about choosing, and what speaks against it.
ACCUSES = re.compile(
    r"\b(?:vote|voting|eliminate|lynch|kill|target|choose|pick|out|mafia|guilty|liar|lying|lies"
    r"|suspicious|suspect\w*|evil|traitor|must go|has to go"
    r"|it's|it is|no doubt)\b"
)
PRAISES = re.compile(
    r"\b(?:trust\w*|innocent|not|n't|believe(?!.{0,15}\b(?:is|are)\b)|doctor|detective|villager"
    r"|town|good|clear(?:ed)?|said|says|told|agree|nobody|no one|abstain|pass|skip|seems?"
    r"|honest)\b|n't\b"
)
CHOOSES_THEM = re.compile(
    rf"\b(?:{SELF})\b(?:(?!\bnot\b|n't|\bnever\b)[^.!?\n]){{0,40}}\b(?:{_CHOOSING})\b"
    rf"(?:\W{{1,4}}(?:{_CHOOSING}|{_FILLER})\b){{0,4}} (?:them|him|her|this player|that player)\b"
)
GREETS = re.compile(
    r"\b(?:thanks?|thank you|hello|hi|hey|dear|sorry|ask|why|welcome|keep|stays?|lives?|safe|spare"
    r"|clean|quiet|next|me|am)\b"
)
CORRECTS = re.compile(
    r"\b(?:actually|wait|no|instead|chang\w+|on second thoughts?|correction|scratch that|final\w*"
    r"|rather|sorry|therefore|in the end|conclusion)\b"
)
CLAUSE = re.compile(
    r"[.!?;\n]|\",|(?<!one )(?<!body )(?<!all )\bbut\b|(?<=[a-z0-9\])])\s*:(?=\s*[a-z\[])"
)

# Players by their number, in all the ways they are written.
_NOUNS = (
    r"\b(?:player|seat|number|no\.(?=\s?\d)|spieler(?:in)?|joueu(?:r|se)|jugadora?|jogadora?|giocatore|speler)"
    r"|玩家|プレイヤー|플레이어|игрок\w*"
)
MENTION = re.compile(
    rf"\[\s*(?P<label>(?:[a-z_']+[\s:=>-]+){{0,5}})(?:#\s*)?(?P<bracketed>{NUMBER})\s*[.!]?\s*\]"
    rf"|(?:{_NOUNS})(?:[\s_]*id)?\W{{0,4}}(?:number\s|no\.?\s?|nr\.?\s?|#\s?)?"
    rf"(?P<named>{NUMBER})\b"
    r"|(?P<counted>\d{1,2})\s*[号號번]"
    r"|(?<!\w)(?:p|#)(?P<short>\d{1,2})\b"
    r"|(?<![\w.,\[#-])(?P<bare>\d{1,2})(?![\w\]%-]|[.,:]\d)"
    rf"|(?<![\w-])(?P<word>{_NUMBER_WORD})(?![\w-])"
)
NOUN = re.compile(r"\W*\b(?:player|seat)(?: number| no)?$")
AFTER_BARE = re.compile(
    r"(?![\"']\s*:)\s*(?:$|[.,!;:()\[\]}\"'<>\n-]|(?:because|since|as|for|and|please|now|today|tonight"
    r"|too|again|out|off|not|instead|rather|over|with|this (?:time|round)|it is)\b)"
)
# A field of JSON for the player itself, where nothing else is noted of it.
KEY = re.compile(r"player(?:[\s_]*(?:id|index|number))?[\"']\s*[:=]")
NOTED = re.compile(r"[\"'](?:suspicion|claim|role|trust|alive|status|fact|plan)\w*[\"']\s*:")
LEADS = re.compile(
    rf"^\W*(?:player\W{{0,3}})?{NUMBER}(?:\s*,\s+(?!player|p?\d)|[\])*\"']{{0,3}}\s*(?:[-–—]\s+|(?:because|since|as|like)\b\s*))"
    r"(?=[a-z0-9])(?![^.!\n]*(?:\?|\byour?\b))",
    re.MULTILINE,
)
ONLY_NUMBERS = re.compile(
    rf"(?:\W*\b(?:{NUMBER}|not|but|no|yes|ok|okay|sure|vote|then|so|well|rather|than|instead|of)\b)+"
    r"\W*"
)
_BEFORE_ALONE = (
    r"ok|okay|fine|h+m+|well|so|yes|yeah|sure|right|alright|all right|definitely|probably|certainly"
    r"|surely|clearly|obviously|maybe|perhaps|just|simply|then|now|please|thus|therefore|hence|again"
    r"|still|(?:it )?(?:has to|must) be|gotta be|i (?:think|say|guess|suppose)|i'd say|i would say"
)
_AFTER_ALONE = (
    r"it is|please|definitely|obviously|for sure|thanks|again|then|i (?:think|guess|say)|for me|now"
    r"|today|tonight|of course|no doubt|without (?:a )?doubt"
)
ALONE = re.compile(
    rf"(?:(?:{_BEFORE_ALONE})\W{{1,4}})*"
    rf"(?:(?:player|seat|number|no\.)\W{{0,3}}(?:number\s|no\.\s|#)?|p)?{NUMBER}"
    rf"(?:\W{{1,4}}(?:{_AFTER_ALONE}))*"
    r"(?:\W{1,4}(?:and )?(?:not|rather than|instead of|over)\b.*)?"
)
SENTENCE_END = re.compile(r"(?<![.!?])[.!?][\"')]?\s+|,?\s+but\s+")
CORE = re.compile(r"[^\W_](?:.*[^\W_])?")

# Echoes: lists of options, and labels of who speaks.
_LISTED = rf"\[\s*(?:player\s*)?{NUMBER}\s*\]"
LIST = re.compile(
    rf"{_LISTED}(?:[ \t,;/|]*(?:(?:\b(?:and|or)\b|&)[ \t,;/|]*)?{_LISTED})+"
    rf"|^[ \t>*•-]*{_LISTED}[ \t]*(?:\n[ \t>*•-]*{_LISTED}[ \t]*)+$",
    re.MULTILINE,
)
OPTIONS = re.compile(
    r"\b(?:valid|options?|targets?|candidates?|choices|either|between|among|from|available)\b"
    r"(?:\W{1,3}\w+){0,2}\W{0,4}$"
)
SPEAKER = re.compile(r"^[ \t>]*\[\s*player\s*(\d+)\s*\][ \t]*:?[ \t]*(?=\S)", re.MULTILINE)
