use super::*;

/// Sentences as radiologists write them, each word with the classes that count as right. They were tagged before the
/// tagger saw them, and its rules were not fitted to them.
const SENTENCES: &[&str] = &[
    "the/O heart/N is/V normal/A in/O size/N",
    "the/O mediastinum/N is/V within/O normal/A limits/N",
    "no/O focal/A consolidation/N pleural/A effusion/N or/O pneumothorax/N is/V identified/V",
    "there/O are/V low/A lung/N volumes/N with/O bibasilar/A atelectasis/N",
    "a/O right/A internal/A jugular/A catheter/N terminates/V in/O the/O superior/A vena/N cava/N",
    "the/O endotracheal/A tube/N tip/N lies/V above/O the/O carina/N",
    "degenerative/A changes/N are/V noted/V throughout/O the/O thoracic/A spine/N",
    "sternotomy/N wires/N and/O mediastinal/A clips/N are/V present/A",
    "stable/A cardiomegaly/N with/O mild/A vascular/A congestion/N",
    "the/O osseous/A structures/N appear/V intact/A",
    "there/O is/V a/O vague/A opacity/N in/O the/O right/A middle/A lobe/N which/O may/O represent/V pneumonia/N",
    "left/A basilar/A opacity/N has/V increased/AV since/O the/O prior/A study/N",
    "hyperexpanded/A lungs/N suggest/V chronic/A obstructive/A pulmonary/A disease/N",
    "the/O pulmonary/A arteries/N are/V prominent/A",
    "healed/AV rib/N fractures/N are/V seen/V on/O the/O left/N",
    "the/O patient/N is/V rotated/AV to/O the/O right/N",
    "calcified/AV hilar/A lymph/N nodes/N consistent/A with/O prior/A granulomatous/A disease/N",
    "the/O cardiomediastinal/A contours/N are/V grossly/O unchanged/A",
    "small/A bilateral/A pleural/A effusions/N left/A greater/A than/O right/AN",
    "interval/N placement/N of/O a/O left/A chest/N tube/N",
    "no/O free/A air/N under/O the/O diaphragm/N",
    "scattered/AV calcified/AV granulomas/N are/V unchanged/A",
    "the/O visualized/AV bony/A thorax/N demonstrates/V no/O acute/A abnormality/N",
    "there/O is/V minimal/A scarring/N in/O the/O lingula/N",
    "the/O nasogastric/A tube/N courses/V below/O the/O diaphragm/N",
    "pulmonary/A vascular/A markings/N are/V mildly/O increased/AV",
    "a/O nodular/A density/N measuring/V 8/O mm/N projects/V over/O the/O left/A apex/N",
    "findings/N are/V concerning/AV for/O malignancy/N",
    "further/AO evaluation/N with/O ct/N is/V recommended/V",
    "moderate/A right/A hydropneumothorax/N persists/V despite/O drainage/N",
    "flattening/NV of/O the/O diaphragms/N suggests/V emphysema/N",
    "the/O aortic/A arch/N is/V atherosclerotic/A",
    "extensive/A subcutaneous/A emphysema/N extends/V into/O the/O neck/N",
    "the/O lateral/A view/N shows/V an/O increased/AV anteroposterior/A diameter/N",
    "postoperative/A changes/N from/O coronary/A bypass/N grafting/N",
    "compression/N deformity/N of/O a/O lower/A thoracic/A vertebral/A body/N has/V progressed/V",
    "there/O has/V been/V slight/A worsening/NAV of/O the/O perihilar/A edema/N",
    "airspace/AN opacities/N obscure/V the/O left/A hemidiaphragm/N",
    "the/O xxxx/N are/V clear/A bilaterally/O",
    "eventration/N of/O the/O right/A hemidiaphragm/N is/V incidentally/O noted/V",
];

#[test]
fn sentences_that_it_was_not_made_for_are_tagged() {
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for sentence in SENTENCES {
        let (words, accepted): (Vec<String>, Vec<&str>) = sentence
            .split(' ')
            .filter_map(|word| word.rsplit_once('/'))
            .map(|(word, tags)| (word.to_owned(), tags))
            .unzip();
        for ((word, accepted), tag) in words.iter().zip(accepted).zip(Tagger::new().tag(&words)) {
            all += 1;
            if accepted.contains(tag.letter()) {
                right += 1;
            } else {
                wrong.push(format!("{word} is {} in: {sentence}", tag.id()));
            }
        }
    }
    let share = f64::from(right) / f64::from(all);
    assert!(SENTENCES.len() == 40 && share >= 0.93, "{share}, {}", wrong.join("\n"));
}

#[test]
fn a_user_decides() {
    let words: Vec<String> = "left upper lobe".split(' ').map(str::to_owned).collect();
    let mut tagger = Tagger::new();
    assert_eq!(tagger.tag(&words), [Tag::Adjective, Tag::Adjective, Tag::Noun]);
    tagger.set("Left", Tag::Verb);
    assert_eq!(tagger.tag(&words), [Tag::Verb, Tag::Adjective, Tag::Noun]);
    assert_eq!(tagger.own().len(), 1);
    tagger.unset("left");
    assert_eq!(tagger, Tagger::new());
    assert!(Tag::ALL.iter().all(|tag| Tag::from_id(tag.id()) == Some(*tag) && tag.next() != *tag));
    assert_eq!(Tag::from_id("adverb"), None);
}

#[test]
fn any_words_have_classes() {
    for odd in ["", "-", "'s", "é-", "ing", "ed", "ss", "s", "ééd", "肺ing", "5-", "/", "’s", "non", "unİ", "\u{301}"]
    {
        let words = vec![odd.to_owned(); 3];
        assert_eq!(Tagger::new().tag(&words).len(), 3, "{odd}");
    }
    let long = ["'s-", "’s", "x-", "non", "a"].map(|part| part.repeat(200_000));
    assert_eq!(Tagger::new().tag(&long).len(), long.len());
    assert!(Tagger::new().tag(&[]).is_empty());
}
