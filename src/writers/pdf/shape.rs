//! Shapes: what is on a page beside text and pictures. The same for layout, which places them, and for the encoder.

use std::sync::Arc;

use super::page::Color;
use super::vector::VectorPicture;

/// Where something is, in points; `y` counts downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Rectangle {
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// The same with its edges so far inside.
    pub fn inset(&self, by: f32) -> Rectangle {
        let shrunk = |length: f32| (length - 2.0 * by).max(0.0);
        Rectangle { x: self.x + by, y: self.y + by, width: shrunk(self.width), height: shrunk(self.height) }
    }
}

/// Something drawn that fills a rectangle.
#[derive(Debug, Clone)]
pub struct Shape {
    pub at: Rectangle,
    pub form: Form,
}

#[derive(Debug, Clone)]
pub enum Form {
    /// The rectangle itself, filled.
    Bar(Color),
    /// A rectangle with round corners.
    Panel { radius: f32, fill: Option<Color>, stroke: Option<Color> },
    /// Filled, with its tip to the right: what starts a film.
    Triangle(Color),
    /// What somebody drew, as vectors.
    Drawing(Arc<VectorPicture>),
}

impl Shape {
    pub fn bar(at: Rectangle, color: Color) -> Shape {
        Shape { at, form: Form::Bar(color) }
    }

    /// A rectangle with round corners, filled.
    pub fn filled(at: Rectangle, radius: f32, color: Color) -> Shape {
        Shape { at, form: Form::Panel { radius, fill: Some(color), stroke: None } }
    }
}
