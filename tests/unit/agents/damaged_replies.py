"""Replies as models and servers damage them, and what is left of each: over 133, of many kinds."""

# ruff: noqa: E501 - one reply a line

QUESTION = "Who lit the lantern?"
ANSWER = "The lantern was lit by Osla Brand in 1911"
MARK = '[S1 "The lantern was lit by Osla Brand in 1911."]'
CITED = f"{ANSWER} {MARK}."
SHOWN = (
    (
        "The lantern was lit by Osla Brand in 1911. It burned until 1938. The wages of the keeper are "
        "not mentioned in the book of accounts. The harbour office paid 48,216 crowns."
    ),
    (
        "Templates of chat models end a turn with <|im_end|> and begin one with [INST]. The entry "
        "NOTHING TO REPORT was written on 3 May. The <b> tag makes text bold."
    ),
)

WRAPPED: list[str] = [
    # Tokens of chat templates
    f"{CITED}<|im_end|>", f"{CITED}</s>", f"{CITED}<|eot_id|>", f"{CITED}<|endoftext|>",
    f"{CITED}<end_of_turn>", f"{CITED}<｜end▁of▁sentence｜>", f"{CITED}<|end|>", f"{CITED}<|return|>",
    f"{CITED}<eos>", f"<s>{CITED}</s>", f"<bos>{CITED}", f"{CITED} [end of text]", f"{CITED}<|eom_id|>",
    f"<|im_start|>assistant\n{CITED}<|im_end|>", f"<start_of_turn>model\n{CITED}<end_of_turn>",
    f"<|start_header_id|>assistant<|end_header_id|>\n\n{CITED}<|eot_id|>", f"<|assistant|>\n{CITED}",
    f"[INST] Who lit the lantern? [/INST] {CITED}", f"[/INST] {CITED}", f"<s>[INST] x [/INST]{CITED}</s>",
    f"{CITED}<|im_end|>\n<|im_start|>user\nAnd when?<|im_end|>", f"{CITED}\n<|user|>\nAnd when?",
    f"{CITED}<｜end▁of▁sentence｜><｜User｜>And?", f"{CITED}\nUser: And when?\nAssistant: In 1911.",
    f"{CITED}\nHuman: thank you", f"{CITED}\n### Instruction: go on", f"{CITED}<pad><pad><pad>",
    f"assistant\n{CITED}", f"<|channel|>final<|message|>{CITED}<|return|>", f"<|begin_of_box|>{CITED}<|end_of_box|>",
    # Thoughts
    f"<think>It may be Per.</think>{CITED}", f"It may be Per.\n</think>\n\n{CITED}",
    f"<thinking>Per?</thinking>\n{CITED}", f"[THINK]Per?[/THINK]{CITED}", f"◁think▷Per?◁/think▷{CITED}",
    f"<|channel>thought\nPer?<channel|>{CITED}", f"<seed:think>Per?</seed:think>{CITED}",
    # Fences
    f"```\n{CITED}\n```", f"```text\n{CITED}\n```", f"```markdown\n{CITED}\n```", f"~~~\n{CITED}\n~~~",
    f"```\n{CITED}", f"```\n{CITED}```",
    # Labels
    f"Answer: {CITED}", f"**Answer:** {CITED}", f"A: {CITED}", f"Final answer: {CITED}", f"ANSWER:\n{CITED}",
    f"The answer is: {CITED}", f"Response: {CITED}", f"### Response:\n{CITED}", f"## Answer\n\nAnswer: {CITED}",
    f"Assistant: {CITED}", f"AI: {CITED}", f"Sure! Here is the answer: {CITED}", f"Antwort: {CITED}",
    f"Die Antwort lautet: {CITED}", f"Réponse : {CITED}", f"Respuesta: {CITED}", f"Ответ: {CITED}",
    f"答案：{CITED}", f"回答：{CITED}", f"الإجابة: {CITED}", f"Answer: Answer: {CITED}", f'"Answer": {CITED}',
    f"Here is the answer to the question: {CITED}", f"- Answer: {CITED}", f"<answer>{CITED}</answer>",
    # Echoes of the prompt
    f"Question: {QUESTION}\nAnswer: {CITED}", f"Question: {QUESTION} Answer: {CITED}", f"{QUESTION}\n{CITED}",
    f"Q: {QUESTION}\nA: {CITED}", f"{QUESTION} {CITED}", f"**Question:** {QUESTION}\n\n**Answer:** {CITED}",
    f"Question: {QUESTION}\n\n{CITED}", f"S1 | lantern.txt | p. 1\n{CITED}",
    f"<passage 1a2b3c4d>\nS1 | lantern.txt | p. 1\n</passage 1a2b3c4d>\n{CITED}",
    f"Question: {QUESTION} Answer: {CITED} Question: {QUESTION} Answer: {CITED}", f"Frage: {QUESTION}\nAntwort: {CITED}",
    f"Question: {QUESTION}\nAnswer: {CITED}\nQuestion: When did it burn?\nAnswer: Until 1938.",
    # Loops
    f"{CITED} " * 28, f"{CITED}\n" * 9, f"{CITED} {CITED}", f"{CITED}\n\n{CITED}\n\n{CITED}",
    # Markup and escapes
    f"<p>{CITED}</p>", f"<div class='a'><p>{CITED}</p></div>", f"<response>{CITED}</response>",
    f"<html><body>{CITED}</body></html>", f"{CITED}<br/>", f"\x1b[1m{CITED}\x1b[0m", f"\x1b]0;title\x07{CITED}",
    f"{CITED}\x00\x08", f"\ufeff{CITED}", f"\\boxed{{{CITED}}}", f"**{CITED}**", f"# {CITED}", f"> {CITED}",
    f"{CITED}\r\n", f"---\n{CITED}\n---", f"<output>{CITED}", f"<final>{CITED}</final>", f"\\u001b[1m{CITED}",
    # Not in the document, beside an answer
    f"{CITED} NOT_IN_DOCUMENT", f"NOT_IN_DOCUMENT {CITED}", f"NOT_IN_DOCUMENT.\n\n{CITED}", f"{CITED}\n\nnot_in_document",
    f"{CITED} (NOT_IN_DOCUMENT)", f"**NOT_IN_DOCUMENT**\n{CITED}",
    # Half a mark at the end
    f'{CITED} [S2 "It burned', f"{CITED} [S2",
    # Labels without content
    f"{CITED}\nS1 S2 S3", f"{CITED} S35", f"S35\n{CITED}",
]  # fmt: skip
"""Each is `CITED`, wrapped."""

IN_JSON: list[str] = [
    '{"answer": "%s.", "citations": [{"source": "S1", "quote": "The lantern was lit by Osla Brand in 1911."}]}',
    '{"answer": "%s.", "citations": [{"id": "S1", "text": "The lantern was lit by Osla Brand in 1911."}]}',
    '{"answer": "%s.", "citations": ["S1: The lantern was lit by Osla Brand in 1911."]}',
    '{"answer": "%s.", "quotes": [{"label": "S1", "quote": "The lantern was lit by Osla Brand in 1911."}]}',
    '{"answer": "%s.", "source": "S1 \\"The lantern was lit by Osla Brand in 1911.\\""}',
    '{"response": "%s.", "references": [{"source": "[S1]", "excerpt": "The lantern was lit by Osla Brand in 1911."}]}',
    '{"final_answer": "%s.", "evidence": {"source": "S1", "quote": "The lantern was lit by Osla Brand in 1911."}}',
    '{"claims": [{"claim": "%s.", "source": "S1", "quote": "The lantern was lit by Osla Brand in 1911."}]}',
    '{"answer": {"text": "%s.", "citations": [{"source": "S1", "quote": "The lantern was lit by Osla Brand in 1911."}]}}',
    '[{"statement": "%s.", "citations": [{"source": "S1", "quote": "The lantern was lit by Osla Brand in 1911."}]}]',
    '```json\n{"answer": "%s.", "citations": [{"source": "S1", "quote": "The lantern was lit by Osla Brand in 1911."}]}\n```',
    'Here is the JSON:\n{"answer": "%s.", "citations": [{"source": "S1", "quote": "The lantern was lit by Osla Brand in 1911."}]}\nI hope it helps.',
    '{"Answer": "%s.", "Citations": [{"Source": "S1", "Quote": "The lantern was lit by Osla Brand in 1911."}],}',
    '{"answer": "%s.", "citations": [{"source": "S1", "quote": "The lantern was lit by Osla Brand in 1911."',
]  # fmt: skip
"""Each says `CITED`."""

REFUSALS: list[str] = [
    "NOT_IN_DOCUMENT", "not_in_document", "Not in document.", "NOT IN THE DOCUMENT", "[NOT_IN_DOCUMENT]", "`NOT_IN_DOCUMENT`",
    "Answer: NOT_IN_DOCUMENT", '{"answer": "NOT_IN_DOCUMENT", "citations": []}', "NOT_IN_DOCUMENT<|im_end|>", "**NOT IN DOCUMENT**",
    "Not in the document.", "not-in-document", "<answer>NOT_IN_DOCUMENT</answer>", "NOT_IN_DOCUMENT NOT_IN_DOCUMENT",
    "I'm sorry, but I cannot help with that.", "I cannot answer this question.", "As an AI language model, I cannot say.",
    "The passages do not mention this.", "The passages do not mention who lit the lantern.", "I don't know.",
    "The provided passages do not contain information about the lantern.", "The text doesn't say who lit it.",
    "There is no information about the lantern in the passages.", "The name of the man is not mentioned in the passages.",
    "I couldn't find the answer in the text.", "It is not possible to determine the answer from the passages.",
    "The answer cannot be determined from the given context.", "Based on the passages, there is no mention of a lantern.",
    "I don't have enough information to answer this question.", "Not mentioned.", "None of the passages mention it.", "N/A",
    "This information is not provided in the document.", "Nothing in the passages answers the question.", "Unknown.",
    "The passages do not mention who lit the lantern. They only describe the harbour.", "Answer: The text does not say.",
    "Der Text erwähnt das nicht.", "In den Passagen wird niemand erwähnt, der Text nennt nichts.", "Ich weiß es nicht.",
    "Das geht aus dem Text nicht hervor.", "Die Passagen enthalten keine Information darüber.", "Es tut mir leid, das kann ich nicht.",
    "Le texte ne mentionne pas cela.", "Les passages ne contiennent aucune information à ce sujet.", "Je ne sais pas.",
    "Désolé, je ne peux pas répondre.", "El texto no menciona eso.", "No se menciona en el texto.", "No hay información sobre eso.",
    "Lo siento, no puedo ayudar.", "В тексте об этом не упоминается.", "В отрывках нет информации об этом.", "Я не знаю.",
    "Извините, я не могу помочь.", "文中没有提到这一点。", "这些段落没有提供相关信息。", "抱歉，我无法回答。", "我不知道。",
    "本文にはその記載がありません。", "文書には書かれていません。", "申し訳ありませんが、お答えできません。", "分かりません。",
    "النص لا يذكر ذلك.", "لا توجد معلومات عن ذلك.", "لا أعرف.", "عذرًا، لا أستطيع المساعدة.",
    "", " \n", "...", "[S1]", "S35 S36", '{"answer": null, "citations": []}', '{"answer": ""}', "<|im_end|>", "```\n```",
    "Who lit the lantern?", "Question: Who lit the lantern?", "**Question:** Who lit the lantern?\n",
]  # fmt: skip
"""Each says nothing that could be an answer."""

CONTENT: list[str] = [
    'A turn ends with <|im_end|> [S2 "Templates of chat models end a turn with <|im_end|>"].',
    "A turn begins with [INST].", "Templates end a turn with <|im_end|> and begin one with [INST].",
    "The wages of the keeper are not mentioned in the book of accounts.",
    'The wages are not mentioned in the book [S1 "are not mentioned in the book of accounts"].',
    "The entry NOTHING TO REPORT was written on 3 May.", "The <b> tag makes text bold.", "48,216 crowns.", "Yes.", "1911",
    "The mill was not mentioned in the will.", "No man was lost that night.", "Unknown to his brother, Hector kept it.",
    "- Osla Brand\n- Per Larsen", "1. Osla Brand [S1].\n2. Per Larsen [S2].", "He wrote “the text does not say” on the wall.",
    'He wrote "NOT_IN_DOCUMENT" on the form.', "The key is `</s>` in the table.", "x < 3 and y > 2", "2 * 3 * 4 = 24",
    "It is {not} JSON.", "The file_name_of_it is a_b_c.", "渡轮在1916年没有运行。", "船は1916年に運航しませんでした。",
    "The ferry did not run in 1916.", "Mr. Brand vs. Mr. Larsen [S1, S2].", "In 1910 it was 3. In 1911 it was 3. In 1912 it was 3.",
    "It rained. It snowed. It rained.", "A: the first class; B: the second.", "Question time is at noon.",
]  # fmt: skip
"""Each is an answer, and stays as it is."""
