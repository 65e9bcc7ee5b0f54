use super::*;
use crate::compute::rng::HostRng;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn corpus() -> Vec<Vec<String>> {
    let reports = [
        "the lungs are clear there is no pleural effusion or pneumothorax",
        "small left-sided pleural effusion and left basilar atelectasis",
        "the heart is enlarged with mild pulmonary edema the lungs are expanded",
        "no pneumothorax is seen the pulmonary vasculature is normal 5 mm é",
    ];
    reports.iter().map(|report| words(report)).collect()
}

fn toy() -> Pieces {
    let text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\npneumo\n##thorax\nis\nseen\nno\n-\nleft\nsided\r\n\n";
    Pieces::from_vocab(text).expect("it is a vocabulary")
}

#[test]
fn a_corpus_gives_one_vocabulary() {
    // Two letters give many pairs that are equally frequent, and pieces that arise in two ways.
    let mut rng = HostRng::new(1, 0);
    let mut letter = || if rng.below(2) == 0 { 'a' } else { 'b' };
    let odd = vec![(0..300).map(|index| (0..3 + index % 9).map(|_| letter()).collect::<String>()).collect()];
    for (corpus, most) in [(corpus(), 100), (odd, 120)] {
        let first = Pieces::train(&corpus, most, 2).expect("there are words");
        assert_eq!(first.vocab()[..5], SPECIAL);
        assert!(first.vocab().len() > 60 && first.vocab().len() <= most, "{}", first.vocab().len());
        for _ in 0..20 {
            let mut again = corpus.clone();
            again.reverse();
            let again = Pieces::train(&again, most, 2).expect("there are words");
            assert_eq!(again.vocab(), first.vocab());
            assert_eq!(again.to_json(), first.to_json());
        }
        for words in &corpus {
            assert!(!first.encode(words, 10_000).ids.contains(&first.unknown()));
        }
    }
}

#[test]
fn a_vocabulary_keeps_to_its_size_and_says_why_it_cannot() {
    let small = Pieces::train(&corpus(), 21, 1).expect("there are words");
    assert_eq!(small.vocab().len(), 21);
    assert_eq!(small.of_word("7"), [small.unknown()]);
    assert_eq!(Pieces::train(&corpus(), 6, 1), Err(TextError::TooSmall(6)));
    assert_eq!(Pieces::train(&[], 100, 1), Err(TextError::NoWords));
    assert_eq!(Pieces::train(&[Vec::new(), words("\u{301}")], 100, 1), Err(TextError::NoWords));
}

#[test]
fn a_vocabulary_is_kept_as_text() {
    let pieces = Pieces::train(&corpus(), 90, 1).expect("there are words");
    let json = pieces.to_json().expect("it can be written");
    assert_eq!(Pieces::from_json(&json), Ok(pieces.clone()));
    assert_eq!(Pieces::from_vocab(&pieces.vocab().join("\n")), Ok(pieces));
    let wrong = |text: &str| Pieces::from_vocab(text).expect_err("it is wrong").to_string();
    assert_eq!(wrong("[PAD]\n[UNK]\n[CLS]\na"), TextError::Missing("[SEP]").to_string());
    assert!(wrong("[PAD]\n\n[UNK]").starts_with("line 2 of the vocabulary is empty"));
    assert!(wrong("[PAD]\n[UNK]\n[PAD]").starts_with("line 3 of the vocabulary holds [PAD], which"));
    assert!(matches!(Pieces::from_json("{}"), Err(TextError::Json(_))));
    assert!(matches!(Pieces::from_json(&json.replace("\"##\"", "\"@@\"")), Err(TextError::Json(_))));
    assert!(matches!(Pieces::from_json(&json.replace("\"[MASK]\": 4", "\"[MASK]\": 400")), Err(TextError::Json(_))));
}

#[test]
fn pieces_know_their_words_and_the_end_is_cut_between_words() {
    let pieces = toy();
    let report = words("no pneumothorax is left-sided ölig seen");
    let all = pieces.encode(&report, 100);
    assert_eq!(all.ids, [2, 9, 5, 6, 7, 11, 10, 12, 1, 8, 3]);
    let word_of: Vec<i64> = all.word_of.iter().map(|word| word.map_or(-1, |word| word as i64)).collect();
    assert_eq!(word_of, [-1, 0, 1, 1, 2, 3, 3, 3, 4, 5, -1]);
    assert_eq!(all.words_kept, 6);
    for (most, kept, length) in
        [(11, 6, 11), (10, 5, 10), (8, 3, 6), (4, 1, 3), (3, 1, 3), (2, 0, 2), (1, 0, 1), (0, 0, 0)]
    {
        let cut = pieces.encode(&report, most);
        assert_eq!((cut.words_kept, cut.ids.len(), cut.word_of.len()), (kept, length, length), "{most}");
        assert_eq!(cut.ids.last(), [2, 3].get(usize::from(length > 1)).filter(|_| length > 0));
    }
    assert_eq!(pieces.of_word(""), [1]);
    assert_eq!(pieces.of_word("--"), [10, 10]);
    assert_eq!(pieces.of_word("++"), [1]);
    assert_eq!(pieces.of_word(&"a".repeat(5000)), [1]);
}

#[test]
fn a_pair_is_cut_at_its_longer_sentence() {
    let pieces = toy();
    let (premise, hypothesis) = (words("no pneumothorax is seen"), words("pneumothorax is left"));
    let pair = pieces.encode_pair(&premise, &hypothesis, 64);
    assert_eq!(pair.ids, [2, 9, 5, 6, 7, 8, 3, 5, 6, 7, 11, 3]);
    assert_eq!(pair.segments, [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!((pair.word_of[2], pair.word_of[6], pair.word_of[10]), (Some(1), None, Some(2)));
    let cut = pieces.encode_pair(&premise, &hypothesis, 10);
    assert_eq!((cut.ids.len(), cut.words_kept), (10, [2, 3]));
    for most in 0..12 {
        let cut = pieces.encode_pair(&premise, &hypothesis, most);
        assert!(cut.ids.len() <= most && cut.segments.len() == cut.ids.len() && cut.word_of.len() == cut.ids.len());
    }
}
